#include "imgtool/passes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "imgtool/branch_map_text.h"
#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// What all passes together propose, as "image:entry field old -> new".
class PassesTest : public testing::Test {
 protected:
  PassesTest() {
    fs::remove_all(root_);
    fs::create_directories(root_ + "/bin");
    std::ofstream(root_ + "/bin/sh") << "12345";
    EXPECT_EQ(chmod((root_ + "/bin/sh").c_str(), 0755), 0);
  }
  ~PassesTest() override { fs::remove_all(root_); }

  pb::reg_file_entry& AddFile(uint32_t id, std::string name) {
    facts_.files.push_back(SampleFile(id, std::move(name)));
    return facts_.files.back().entry;
  }
  void DumpMounts(uint32_t mnt_ns_id, const std::vector<pb::mnt_entry>& mounts) {
    facts_.mounts.AddNamespace(mnt_ns_id, SampleMounts(mnt_ns_id, mounts));
  }

  // kBackwards: the passes alone, the last row first.
  enum class Order { kOfTable, kBackwards };
  Result<EditPlan> Plan(Order order = Order::kOfTable) {
    CKPT_TRY(UnionView view,
             readable_ ? UnionView::AtRoot(root_) : UnionView::AtMountpoints(false));
    CKPT_TRY(const UnionResolver resolver, UnionResolver::Open(map_, std::move(view)));
    RepairRules rules;
    rules.map = &map_;
    rules.evidence.map_is_explicit = true;
    rules.resolve = [&](const FileQuestion& question) { return resolver.Resolve(question); };
    CKPT_TRY(const PathRepairs repairs, FindPathRepairs(facts_, rules));
    const FixupContext context{facts_, map_, repairs, resolver, mounts_, rules.evidence};
    return order == Order::kOfTable ? PlanFixup(context) : PlanBackwards(context);
  }

  static Result<EditPlan> PlanBackwards(const FixupContext& context) {
    EditPlan plan;
    const auto passes = Passes();
    for (auto pass = passes.rbegin(); pass != passes.rend(); ++pass) {
      const auto* propose = std::get_if<ProposeFixups>(&pass->propose);
      if (propose != nullptr) CKPT_TRY((*propose)(context, plan));
    }
    return plan;
  }

  // What becomes of each field.
  static std::set<std::string> Fields(const EditPlan& plan) {
    std::set<std::string> fields;
    for (const Edit* edit : plan.edits()) {
      fields.insert(fmt::format("{}: {}: {} ({})", edit->place.Text(), edit->field,
                                FieldText(edit->new_value), edit->pass));
    }
    return fields;
  }

  std::vector<std::string> Edits(const std::string& pass) {
    const auto plan = Plan();
    if (plan.has_error()) return {"error: " + plan.error().message};
    std::vector<std::string> edits;
    for (const Edit* edit : plan.value().edits()) {
      if (edit->pass != pass) continue;
      edits.push_back(fmt::format("{}:{} {} {} -> {}", edit->place.image, edit->place.entry,
                                  edit->field, FieldText(edit->old_value),
                                  FieldText(edit->new_value)));
    }
    return edits;
  }
  std::string OnlyNote() {
    const auto plan = Plan().value();
    if (plan.notes().size() != 1) return fmt::format("{} notes", plan.notes().size());
    return plan.notes()[0].place + ": " + plan.notes()[0].text;
  }

  using Lines = std::vector<std::string>;
  const std::string root_ = testing::TempDir() + "/passes_test";
  DumpFacts facts_;
  BranchMap map_ = ParseBranchMap(
                       "branch-map 1\nunion web\nmnt-id 44\nbranch rw /d/ID\n"
                       "branch ro+wh /d/base\n",
                       "m")
                       .value();
  bool readable_ = true;
  MountChoices mounts_;
};

TEST_F(PassesTest, EveryPassHasANameOfItsOwnAndSaysWhatItDoes) {
  std::set<std::pair<size_t, std::string_view>> names;
  for (const Pass& pass : Passes()) {
    EXPECT_TRUE(names.emplace(pass.propose.index(), pass.name).second) << pass.name;
    EXPECT_FALSE(pass.doc.empty()) << pass.name;
  }
}

TEST_F(PassesTest, TheirOrderMeansNothing) {
  AddFile(1, "/d/ID/bin/sh").set_mnt_id(22);
  AddFile(2, "/d/base/bin/sh").set_size(7);
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/", "si=1f,dio"),
                 SampleMount(pb::AUFS, 45, 44, "/mnt/u", "si=2")});
  facts_.names.devices = {{{"ghost-file-1.img", 0}, "dev", 44}};
  mounts_.reference = MountReference{
      .origin = "/etc/hosts", .device = 5, .fstype = 0, .source = "/dev/root", .options = "o"};
  const EditPlan forwards = Plan().value();
  const EditPlan backwards = Plan(Order::kBackwards).value();
  EXPECT_GT(forwards.edits().size(), 10U);
  EXPECT_EQ(Fields(forwards), Fields(backwards));
}

TEST_F(PassesTest, NamesOfBothKindsOfImagesAreRepaired) {
  AddFile(1, "/d/ID/bin/sh");
  AddFile(2, "/bin/sh");
  facts_.files.push_back({{"reg-files.img", 0}, "", SampleRegFile(3, "/d/base/bin/sh")});
  EXPECT_EQ(Edits("paths"), (Lines{"files.img:1 reg.name \"/d/ID/bin/sh\" -> \"/bin/sh\"",
                                   "reg-files.img:0 name \"/d/base/bin/sh\" -> \"/bin/sh\""}));
}

TEST_F(PassesTest, RecordedMappingsFollowTheirFile) {
  AddFile(1, "/d/ID/bin/sh").set_mnt_id(22);
  pb::raw_mapping mapping = SampleMapping(1, "/d/ID/bin/sh", "/bin/sh");
  mapping.set_mnt_id(22);
  facts_.mappings = {{{"ckpt-raw.img", 4}, mapping},
                     {{"ckpt-raw.img", 5}, SampleMapping(1, "/d/ID/bin/sh", "/d/ID/bin/sh")},
                     {{"ckpt-raw.img", 6}, SampleMapping(2, "/d/ID/bin/sh", "/bin/sh")}};
  EXPECT_EQ(Edits("raw-facts"),
            (Lines{"ckpt-raw.img:4 mapping.map_files_path \"/d/ID/bin/sh\" -> \"/bin/sh\"",
                   "ckpt-raw.img:4 mapping.mnt_id 22 -> 44",
                   "ckpt-raw.img:5 mapping.map_files_path \"/d/ID/bin/sh\" -> \"/bin/sh\"",
                   "ckpt-raw.img:5 mapping.maps_path \"/d/ID/bin/sh\" -> \"/bin/sh\""}));
}

TEST_F(PassesTest, ARepairedFileGetsTheMountThatItsPathLeadsTo) {
  AddFile(1, "/d/ID/bin/sh").set_mnt_id(22);
  AddFile(2, "/d/base/bin/sh");
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/")});
  EXPECT_EQ(Edits("mount-ids"),
            (Lines{"files.img:1 reg.mnt_id 22 -> 44", "files.img:2 reg.mnt_id (absent) -> 44"}));
}

TEST_F(PassesTest, WithoutMountImagesTheRecordedMountIsTakenOrTheIdGoes) {
  AddFile(1, "/d/ID/bin/sh").set_mnt_id(22);
  AddFile(2, "/d/base/bin/sh");
  AddFile(3, "/bin/sh").set_mnt_id(22);
  EXPECT_EQ(Edits("mount-ids"), Lines{"files.img:1 reg.mnt_id 22 -> 44"});
  map_.unions[0].mnt_id.reset();
  EXPECT_EQ(Edits("mount-ids"), Lines{"files.img:1 reg.mnt_id 22 -> (absent)"});
}

TEST_F(PassesTest, AMountThatNoImageListsIsReplacedAlsoInOtherFiles) {
  AddFile(1, "/proc/version").set_mnt_id(22);
  AddFile(2, "/bin/sh").set_mnt_id(-1);
  AddFile(3, "/bin/sh").set_mnt_id(44);
  AddFile(4, "file[16:1]").set_ext(true);
  facts_.files.back().entry.set_mnt_id(22);
  AddFile(5, "relative").set_mnt_id(22);
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/"), SampleMount(pb::PROC, 47, 44, "/proc")});
  EXPECT_EQ(Edits("mount-ids"),
            (Lines{"files.img:1 reg.mnt_id 22 -> 47", "files.img:5 reg.mnt_id 22 -> (absent)"}));
}

TEST_F(PassesTest, MountsOfOneUnionLoseTheOldHostTogether) {
  pb::mnt_entry root = SampleMount(pb::AUFS, 44, 1, "/", "si=1f,dio,br:/d/ID=rw");
  pb::mnt_entry bind = SampleMount(pb::AUFS, 45, 44, "/bind", "si=1f,dio");
  bind.set_root_dev(root.root_dev());
  bind.set_root("/d/ID/sub");
  bind.set_ext_key("bind");
  pb::mnt_entry source = SampleMount(pb::AUFS, 46, 44, "/other", "rw");
  source.set_source("/d/base");
  source.set_ext_key("other");
  DumpMounts(7, {root, bind, source, SampleMount(pb::TMPFS, 47, 44, "/tmp", "si=1")});
  EXPECT_EQ(Edits("mounts"),
            (Lines{"mountpoints-7.img:0 options \"si=1f,dio,br:/d/ID=rw\" -> \"dio\"",
                   "mountpoints-7.img:1 root \"/d/ID/sub\" -> \"/sub\"",
                   "mountpoints-7.img:1 options \"si=1f,dio\" -> \"dio\"",
                   "mountpoints-7.img:2 source \"/d/base\" -> \"none\""}));
}

TEST_F(PassesTest, OverlaysAreTouchedOnlyIfTheMapDescribesThem) {
  DumpMounts(7, {SampleMount(pb::OVERLAYFS, 44, 1, "/", "lowerdir=/a:/b,upperdir=/c,index=on"),
                 SampleMount(pb::OVERLAYFS, 45, 44, "/x", "lowerdir=/y")});
  EXPECT_EQ(Edits("mounts"), Lines{"mountpoints-7.img:0 options "
                                   "\"lowerdir=/a:/b,upperdir=/c,index=on\" -> \"index=on\""});
}

TEST_F(PassesTest, AUnionBelowTheRootOfADumpedNamespaceBecomesExternal) {
  DumpMounts(7, {SampleMount(pb::UNSUPPORTED, 40, 1, "/"),
                 SampleMount(pb::AUFS, 44, 40, "/mnt/u", "si=1")});
  EXPECT_EQ(Edits("external-mounts"), Lines{"mountpoints-7.img:1 ext_key (absent) -> \"/mnt/u\""});
  EXPECT_EQ(OnlyNote(), "0 notes");
  facts_.shared_mnt_ns_id = 7;
  EXPECT_EQ(Edits("external-mounts"), Lines{});
}

TEST_F(PassesTest, MountsGetTheKeysThatTheUserWants) {
  pb::mnt_entry hosts = SampleMount(pb::UNSUPPORTED, 46, 44, "/etc/hosts");
  hosts.set_root("/etc/hosts");
  pb::mnt_entry old = hosts;
  old.set_mnt_id(47);
  old.set_mountpoint("/etc/old");
  old.set_root("key");
  old.set_ext_mount(true);
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/"), hosts, old});
  mounts_.external = {{"/etc/hosts", "hosts"}, {"/etc/old", "new"}};
  EXPECT_EQ(Edits("external-mounts"), (Lines{"mountpoints-7.img:1 ext_key (absent) -> \"hosts\"",
                                             "mountpoints-7.img:2 root \"key\" -> \"new\""}));
  mounts_.external = {{"/none", "x"}};
  EXPECT_EQ(
      Edits("external-mounts"),
      Lines{"error: --ext-mount-map: nothing in the dump is mounted at \"/none\"; mounts that "
            "need a key: \"/etc/hosts\""});
  mounts_.external = {};
  mounts_.external_auto = true;
  EXPECT_EQ(Edits("external-mounts"),
            Lines{"mountpoints-7.img:1 ext_key (absent) -> \"/etc/hosts\""});
}

TEST_F(PassesTest, MountsOfOneUnionBecomeLikeTheReferenceTogether) {
  pb::mnt_entry bind = SampleMount(pb::AUFS, 45, 44, "/bind", "si=1f");
  bind.set_root_dev(44);
  bind.set_root("/sub");
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/", "si=1f"), bind});
  facts_.names.devices = {{{"ghost-file-1.img", 0}, "dev", 44},
                          {{"ghost-file-2.img", 0}, "dev", 9}};
  mounts_.reference = MountReference{
      .origin = "/etc/hosts", .device = 5, .fstype = 0, .source = "/dev/root", .options = "o"};
  mounts_.union_root = "/mnt/ID";
  const Lines edits = Edits("mounts");
  EXPECT_EQ(edits.size(), 10U);
  EXPECT_EQ(edits[0], "mountpoints-7.img:0 root \"/\" -> \"/mnt/ID\"");
  EXPECT_EQ(edits[1], "mountpoints-7.img:0 root_dev 44 -> 5");
  EXPECT_EQ(edits[5], "mountpoints-7.img:1 root \"/sub\" -> \"/mnt/ID/sub\"");
  EXPECT_EQ(edits[9], "mountpoints-7.img:1 options \"si=1f\" -> \"o\"");
  EXPECT_EQ(Edits("watches"), Lines{"ghost-file-1.img:0 dev 44 -> 5"});
}

TEST_F(PassesTest, NamesOfSocketsAreLimited) {
  const auto name = [&](const std::string& path, size_t most) {
    facts_.names.names = {{{"files.img", 9},
                           "usk.name",
                           "usk.mnt_id",
                           path,
                           std::string(1, '\0'),
                           most,
                           int64_t{22}}};
  };
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/")});
  name("/d/ID/run/s", 107);
  EXPECT_EQ(Edits("names"), (Lines{"files.img:9 usk.name \"/d/ID/run/s\\000\" -> \"/run/s\\000\"",
                                   "files.img:9 usk.mnt_id 22 -> 44"}));
  name("/d/ID/run/s", 5);
  EXPECT_EQ(Edits("names"),
            Lines{"error: files.img: entry 9: usk.name \"/d/ID/run/s\" would become a path of 6 "
                  "bytes, at most 5 are allowed"});
  name("/run/s", 107);
  EXPECT_EQ(Edits("names"), Lines{"files.img:9 usk.mnt_id 22 -> 44"});
  facts_.names.names[0].mnt_id = 44;
  EXPECT_EQ(Edits("names"), Lines{});
}

TEST_F(PassesTest, AWatchWithAHandleOnlyGetsTheCachedPath) {
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/")});
  facts_.names.watches = {{{"files.img", 3}, "ify.wd[0].f_handle", 44, 11, false, false},
                          {{"files.img", 3}, "ify.wd[1].f_handle", 9, 11, false, false},
                          {{"files.img", 3}, "ify.wd[2].f_handle", 44, 12, false, false}};
  facts_.names.inode_paths = {{44, 11, "/d/ID/var/log"}};
  EXPECT_EQ(Edits("watches"), (Lines{"files.img:3 ify.wd[0].f_handle.path (absent) -> \"/var/log\"",
                                     "files.img:3 ify.wd[0].f_handle.mnt_id (absent) -> 44"}));
  EXPECT_EQ(OnlyNote(),
            "files.img: entry 3: ify.wd[2].f_handle: inode 12 of a union is known by its file "
            "handle only, which the next mount of the union does not have");
}

// Layers on two file systems: stat(2) gave the ghost and the cache the device of a layer.
TEST_F(PassesTest, FilesOfAnOverlayWithDevicesOfItsLayersAreTheUnions) {
  DumpMounts(7, {SampleMount(pb::OVERLAYFS, 44, 1, "/"), SampleMount(pb::TMPFS, 45, 44, "/tmp")});
  AddFile(1, "/gone").set_mnt_id(44);
  AddFile(2, "/tmp/gone").set_mnt_id(45);
  for (const uint32_t id : {1U, 2U}) {
    pb::remap_file_path_entry& remap = facts_.remaps.emplace_back();
    remap.set_orig_id(id);
    remap.set_remap_id(id);
    remap.set_remap_type(pb::GHOST);
  }
  facts_.names.devices = {{{"ghost-file-1.img", 0}, "dev", 46},
                          {{"ghost-file-2.img", 0}, "dev", 45}};
  facts_.names.watches = {{{"files.img", 3}, "ify.wd[0].f_handle", 44, 11, false, false},
                          {{"files.img", 3}, "ify.wd[1].f_handle", 44, 12, false, false}};
  facts_.names.inode_paths = {{46, 11, "/var/log"}, {45, 11, "/tmp/x"}, {46, 12, "/a"}};
  EXPECT_EQ(Edits("watches"), (Lines{"files.img:3 ify.wd[0].f_handle.path (absent) -> \"/var/log\"",
                                     "files.img:3 ify.wd[0].f_handle.mnt_id (absent) -> 44",
                                     "files.img:3 ify.wd[1].f_handle.path (absent) -> \"/a\"",
                                     "files.img:3 ify.wd[1].f_handle.mnt_id (absent) -> 44",
                                     "ghost-file-1.img:0 dev 46 -> 44"}));
  facts_.names.inode_paths.push_back({47, 12, "/of/another/layer"});
  EXPECT_EQ(Edits("watches").size(), 3U) << "two files have inode 12";
}

TEST_F(PassesTest, SizeAndModeComeFromTheFileInTheUnion) {
  pb::reg_file_entry& file = AddFile(1, "/d/ID/bin/sh");
  file.set_size(9);
  file.set_mode(S_IFREG | 0700);
  AddFile(2, "/d/base/bin").set_mode(S_IFDIR | 0755);
  AddFile(3, "/d/base/bin/sh");  // has neither, gets neither
  AddFile(4, "/bin/sh").set_size(1);
  EXPECT_EQ(Edits("stat"),
            (Lines{"files.img:1 reg.mode 33216 -> 33261", "files.img:1 reg.size 9 -> 5"}));
  EXPECT_EQ(OnlyNote(), "union web: size and mode of 3 files verified below \"" + root_ + "\"");
}

TEST_F(PassesTest, AFileThatIsOnlyAppendedToHasNoSize) {
  for (const uint32_t flags : {O_WRONLY | O_APPEND, O_RDWR | O_APPEND, O_WRONLY}) {
    pb::reg_file_entry& file = AddFile(flags, "/d/ID/bin/sh");
    file.set_flags(flags);
    file.set_size(5);
  }
  const std::string entry = std::to_string(O_WRONLY | O_APPEND);
  EXPECT_EQ(Edits("stat"), Lines{"files.img:" + entry + " reg.size 5 -> (absent)"});
  readable_ = false;
  EXPECT_EQ(Edits("stat"), Lines{"files.img:" + entry + " reg.size 5 -> (absent)"});
}

TEST_F(PassesTest, AUnionThatCannotBeReadIsSaidToBeNotVerified) {
  AddFile(1, "/d/ID/bin/gone").set_size(9);
  readable_ = false;
  EXPECT_EQ(Edits("stat"), Lines{});
  EXPECT_EQ(OnlyNote(),
            "union web: size and mode of 1 file not verified: its mountpoint is the root of a "
            "namespace that is not this one (say where it is mounted with --root)");
  map_.unions[0].mountpoint = "/no/such/mountpoint";
  EXPECT_EQ(OnlyNote(),
            "union web: size and mode of 1 file not verified: no union is mounted at "
            "/no/such/mountpoint here");
}

TEST_F(PassesTest, AFileThatTheUnionDoesNotHaveIsAnError) {
  AddFile(1, "/d/ID/bin/gone");
  EXPECT_EQ(Edits("stat"), Lines{"error: files.img: entry 1: \"/d/ID/bin/gone\" would become "
                                 "\"/bin/gone\", which is not below " +
                                 root_});
}

TEST_F(PassesTest, AFileOfAnotherTypeInTheUnionIsAnError) {
  AddFile(1, "/d/ID/bin").set_mode(S_IFREG | 0644);
  EXPECT_EQ(Edits("stat"), Lines{"error: files.img: entry 1: \"/d/ID/bin\" was a regular file, but "
                                 "\"/bin\" is a directory"});
}

}  // namespace
}  // namespace ckpt
