// Dumps of several mount namespaces: a task unshared its own, or containers were dumped together.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "formats/proto/inventory.pb.h"
#include "imgtool/sample_dump.h"
#include "tests/fixup/aufs_case.h"

namespace ckpt {
namespace {

using testing::HasSubstr;
using testing::Not;

class AufsNamespaces : public AufsCase {
 protected:
  // The first process is 1, in namespace 8 for a change, and process 2 is in namespace 7. Each has
  // the files mapped, which come from 1 on.
  void WriteTasks(const std::vector<uint32_t>& of_first, const std::vector<uint32_t>& of_second) {
    dump_->WriteFiles(files_);
    std::vector<pb::pstree_entry> tree;
    for (const uint32_t pid : {1U, 2U}) {
      dump_->Write(ImageType::kMm, pid,
                   std::vector{SampleMm(999, pid == 1 ? of_first : of_second)});
      dump_->Write(ImageType::kIds, pid, std::vector{SampleIds(pid, 9 - pid)});
      pb::pstree_entry& task = tree.emplace_back();
      task.set_pid(pid);
      task.set_ppid(pid - 1);
      task.set_pgid(1);
      task.set_sid(1);
      task.add_threads(pid);
    }
    dump_->Write(ImageType::kPstree, 0, tree);
  }

  void WriteInventory() {
    pb::inventory_entry inventory;
    inventory.set_img_version(2);
    *inventory.mutable_root_ids() = SampleIds(1, 5);
    dump_->Write(ImageType::kInventory, 0, std::vector{inventory});
  }

  void WriteMounts(const std::vector<pb::mnt_entry>& of_first,
                   const std::vector<pb::mnt_entry>& of_second) {
    dump_->Write(ImageType::kMnts, 8, of_first);
    dump_->Write(ImageType::kMnts, 7, of_second);
  }
  std::vector<pb::mnt_entry> MountsOf(uint32_t mnt_ns_id) const {
    return ReadEntries<pb::mnt_entry>(dump_->Path(fmt::format("mountpoints-{}.img", mnt_ns_id)))
        .value();
  }

  std::vector<uint32_t> GhostDevices() const {
    std::vector<uint32_t> devices;
    for (int i = 1; std::filesystem::exists(dump_->Path(fmt::format("ghost-file-{}.img", i)));
         ++i) {
      const auto image = ReadImageFile(dump_->Path(fmt::format("ghost-file-{}.img", i))).value();
      devices.push_back(ParseEntries<pb::ghost_file_entry>(image).value().at(0).dev());
    }
    return devices;
  }

  std::string Check() const {
    return RunCommand({RunfilePath("imgtool/imgtool"), "check", dump_->directory()}).value().output;
  }
};

constexpr const char* kOfTheHost = "26 1 254:1 / / rw,relatime - ext4 /dev/root rw,discard";

TEST_F(AufsNamespaces, OneUnionInTwoOfThemIsOneInBoth) {
  AddMapped("/d/base/a");
  AddMapped("/d/base/b");
  AddMapped("/d/base/of_both");
  AddMapped("/d/base/c");
  WriteTasks({1, 3}, {2, 3});
  pb::mnt_entry below = SampleMount(pb::AUFS, 60, 59, "/mnt/u", "si=1f");
  below.set_root_dev(kUnionMount);
  WriteMounts({SampleMount(pb::AUFS, kUnionMount, 29, "/", "si=1f")},
              {SampleMount(pb::TMPFS, 59, 29, "/"), below});
  map_ = "/sys/fs/aufs/si_1f/br0:/d/base=rw\n";
  EXPECT_EQ(Fix()[0], "/a");
  const auto files = Files();
  EXPECT_EQ(files[0].mnt_id(), int32_t{kUnionMount});
  EXPECT_EQ(files[1].name(), "/mnt/u/b");
  EXPECT_EQ(files[1].mnt_id(), 60);
  for (const size_t i : {2U, 3U}) {
    const bool is_of_first = files[i].mnt_id() == int32_t{kUnionMount};
    EXPECT_THAT(files[i].name(), testing::StartsWith(is_of_first ? "/" : "/mnt/u/"));
    EXPECT_THAT(files[i].name(), Not(HasSubstr("/d/base")));
  }
  EXPECT_EQ(MountsOf(7)[1].options(), "");
}

TEST_F(AufsNamespaces, AFileThatTwoUnionsShareBecomesAGhostOfEach) {
  Put("base/x");
  AddMapped("/d/base/x (deleted)");
  AddMapped("/d/base/x (deleted)");
  AddMapped("/d/base/x (deleted)");
  WriteTasks({1, 3}, {2});
  WriteMounts({SampleMount(pb::AUFS, kUnionMount, 29, "/", "si=1")},
              {SampleMount(pb::AUFS, 60, 29, "/", "si=2")});
  map_.clear();
  for (const int i : {1, 2}) {
    map_ += fmt::format(
        "union {0}\nsi {0}\nmountpoint /\nbranch rw /d/{0} at {1}/{2}\nbranch ro /d/base at "
        "{1}/base\n",
        i, root_, i == 1 ? "rw" : "init");
  }
  map_ = "branch-map 1\n" + map_;
  EXPECT_EQ(Fix({"--on-deleted", "ghost"}), (Names{"/x", "/x", "/x"}));
  EXPECT_EQ(GhostDevices(), (std::vector<uint32_t>{kUnionMount, 60}));
  const auto remaps =
      ReadEntries<pb::remap_file_path_entry>(dump_->Path("remap-fpath.img")).value();
  ASSERT_EQ(remaps.size(), 3U);
  for (const auto& remap : remaps) EXPECT_EQ(remap.remap_id(), remap.orig_id() == 2 ? 2U : 1U);
}

TEST_F(AufsNamespaces, ThoseWhoseMountsAreMeantAreTheFirstProcesss) {
  AddMapped("/proc/version");
  WriteTasks({1}, {});
  const auto root = SampleMount(pb::AUFS, kUnionMount, 29, "/", "si=1");
  const auto below = SampleMount(pb::AUFS, 45, kUnionMount, "/mnt/u", "si=3");
  WriteMounts({root, below}, {SampleMount(pb::AUFS, 60, 29, "/", "si=2")});
  const std::vector<std::string> options = {"--mount-ref", kOfTheHost, "--mount-root", "/P"};
  ASSERT_EQ(Run(options).exit_status, 0);
  EXPECT_EQ(MountsOf(8)[0].root(), "/P");
  EXPECT_EQ(MountsOf(8)[0].source(), "/dev/root");
  for (const pb::mnt_entry& other : {MountsOf(8)[1], MountsOf(7)[0]}) {
    EXPECT_EQ(other.root(), "/");
    EXPECT_EQ(other.source(), "none");
    EXPECT_EQ(other.fstype(), uint32_t{pb::AUFS});
  }
}

TEST_F(AufsNamespaces, WhereTheRootIsNoUnionAllUnionsAreMeantAndNothingElse) {
  Put("base/x");
  AddMapped("/d/base/x (deleted)");
  mounts_ = {SampleMount(pb::TMPFS, 40, 29, "/"), SampleMount(pb::AUFS, 45, 40, "/mnt/u", "si=3")};
  ASSERT_EQ(Run({"--mount-ref", kOfTheHost, "--on-deleted", "ghost"}).exit_status, 0);
  EXPECT_EQ(MountsOf(7)[1].source(), "/dev/root");
  EXPECT_EQ(GhostDevices(), std::vector<uint32_t>{40}) << "it lies on what is no union";
}

TEST_F(AufsNamespaces, AKeyIsGivenToTheMountOfTheNamespaceThatIsNamed) {
  AddMapped("/proc/version");
  WriteTasks({1}, {});
  const auto bind = [](uint32_t mnt_id, uint32_t parent, const char* mountpoint) {
    pb::mnt_entry mount = SampleMount(pb::UNSUPPORTED, mnt_id, parent, mountpoint);
    mount.set_root("/volume");
    return mount;
  };
  const auto write = [&] {
    WriteMounts(
        {SampleMount(pb::AUFS, kUnionMount, 29, "/"), bind(45, kUnionMount, "/data")},
        {SampleMount(pb::TMPFS, 60, 29, "/"), bind(61, 60, "/data"), bind(62, 60, "/only")});
  };
  write();
  EXPECT_THAT(Run().output,
              testing::AllOf(HasSubstr("(--ext-mount-map /data:KEY, or auto for all)"),
                             HasSubstr("(--ext-mount-map 7/data:KEY, or auto for all)"),
                             HasSubstr("(--ext-mount-map 7/only:KEY, or auto for all)")));
  ASSERT_EQ(Run({"--ext-mount-map", "/data:a", "--ext-mount-map", "/only:c"}).exit_status, 0);
  EXPECT_EQ(MountsOf(8)[1].ext_key(), "a");
  EXPECT_FALSE(MountsOf(7)[1].has_ext_key());
  EXPECT_EQ(MountsOf(7)[2].ext_key(), "c");
  write();
  ASSERT_EQ(Run({"-m", "8/data:a", "-m", "7/data:b", "-m", "auto"}).exit_status, 0);
  EXPECT_EQ(MountsOf(8)[1].ext_key(), "a");
  EXPECT_EQ(MountsOf(7)[1].ext_key(), "b");
  EXPECT_EQ(MountsOf(7)[2].ext_key(), "7/only");
  EXPECT_THAT(Run({"-m", "9/data:a"}).errors,
              HasSubstr("nothing in the dump is mounted at \"9/da"));
  for (const char* word : {"x/data:a", "7:a", "7/data", "4294967296/data:a"}) {
    EXPECT_EQ(Run({"-m", word}).exit_status, 2) << word;
  }
}

// CRIU mounts an overlay that is the root of a further namespace from its options.
TEST_F(AufsNamespaces, TheRootOfAFurtherOneNeedsAKeyUnlessItsOptionsSayWhatItIs) {
  AddMapped("/proc/version");
  WriteTasks({1}, {});
  WriteInventory();
  const std::string needs_key = "(absent), and \"/\" at \"/\" is shown by no other mount";
  const auto check = [&](const pb::mnt_entry& root) {
    WriteMounts({SampleMount(pb::AUFS, kUnionMount, 29, "/")}, {root});
    return Check();
  };
  EXPECT_THAT(check(SampleMount(pb::AUFS, 60, 29, "/", "si=2")), HasSubstr(needs_key));
  EXPECT_THAT(check(SampleMount(pb::UNSUPPORTED, 60, 29, "/")), HasSubstr(needs_key));
  EXPECT_THAT(check(SampleMount(pb::FUSE, 60, 29, "/", "rw")), HasSubstr(needs_key));
  EXPECT_THAT(check(SampleMount(pb::OVERLAYFS, 60, 29, "/", "rw")), HasSubstr(needs_key));
  EXPECT_THAT(check(SampleMount(pb::OVERLAYFS, 60, 29, "/", "rw,lowerdir=/l")),
              Not(HasSubstr(needs_key)));
  EXPECT_THAT(check(SampleMount(pb::TMPFS, 60, 29, "/")), Not(HasSubstr(needs_key)));
  pb::mnt_entry same = SampleMount(pb::AUFS, 60, 29, "/");
  same.set_root_dev(kUnionMount);
  EXPECT_THAT(check(same), Not(HasSubstr(needs_key))) << "the first process's root shows it";
  pb::mnt_entry with_key = SampleMount(pb::AUFS, 60, 29, "/");
  with_key.set_ext_key("7/");
  EXPECT_THAT(check(with_key), Not(HasSubstr(needs_key)));
}

}  // namespace
}  // namespace ckpt
