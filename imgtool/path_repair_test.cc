#include "imgtool/path_repair.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "imgtool/branch_map_text.h"
#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

constexpr std::string_view kRootUnion = R"(branch-map 1
union web
  type aufs
  mnt-id 44
  branch rw /d/ID
  branch ro+wh /d/ID-init
)";

constexpr std::string_view kUnionBelow = R"(branch-map 1
union web
  mountpoint /mnt/u
  branch rw /d/ID
)";

class PathRepairTest : public testing::Test {
 protected:
  void UseMap(std::string_view text) { map_ = ParseBranchMap(text, "m").value(); }

  DumpedFile& AddFile(uint32_t id, std::string name) {
    facts_.files.push_back(SampleFile(id, std::move(name)));
    return facts_.files.back();
  }

  // One task that maps some files and opened others.
  void AddTask(std::vector<uint32_t> mapped, std::vector<uint32_t> opened,
               std::optional<uint32_t> mnt_ns_id = std::nullopt, std::string root = "/") {
    TaskImages task;
    task.mnt_ns_id = mnt_ns_id;
    task.root = std::move(root);
    task.mm = SampleMm(999, mapped);
    for (const uint32_t id : opened) {
      pb::fdinfo_entry descriptor;
      descriptor.set_id(id);
      task.descriptors.push_back(descriptor);
    }
    facts_.uses.AddTask(task);
  }

  void DumpMounts(uint32_t mnt_ns_id, const std::vector<pb::mnt_entry>& mounts) {
    facts_.mounts.AddNamespace(mnt_ns_id, SampleMounts(mnt_ns_id, mounts));
  }

  Result<PathRepairs> Find() {
    RepairRules rules;
    rules.map = &map_;
    rules.resolve = resolve_;
    rules.on_deleted = on_deleted_;
    rules.evidence = {
        .map_is_explicit = explicit_, .force = force_, .union_has_file = union_has_file_};
    return FindPathRepairs(facts_, rules);
  }

  // The branch still has the file, of which a ghost is to be made.
  void LoseInUnion(const std::string& rest, const std::string& obstacle) {
    explicit_ = true;
    on_deleted_ = OnDeleted::kGhost;
    ResolvedFile lost;
    lost.fate = FileFate::kDeleted;
    lost.rest = rest;
    lost.obstacle = obstacle;
    lost.branch_path = "/d/ID" + rest;
    resolve_ = [lost](const FileQuestion&) -> Result<ResolvedFile> { return lost; };
  }

  // The new names, in order; "error: ..." for an error.
  std::vector<std::string> NewNames() {
    const auto found = Find();
    if (found.has_error()) return {"error: " + found.error().message};
    std::vector<std::string> names;
    for (const PathRepair& repair : found.value().repairs) names.push_back(repair.new_name);
    return names;
  }

  std::string OnlyNote() {
    const auto found = Find().value();
    if (found.notes.size() != 1) return fmt::format("{} notes", found.notes.size());
    return found.notes[0].place + ": " + found.notes[0].text;
  }

  using Names = std::vector<std::string>;
  DumpFacts facts_;
  BranchMap map_ = ParseBranchMap(kRootUnion, "m").value();
  OnDeleted on_deleted_ = OnDeleted::kError;
  bool explicit_ = false;
  bool force_ = false;
  HasFile union_has_file_;
  std::function<Result<ResolvedFile>(const FileQuestion&)> resolve_;
};

TEST_F(PathRepairTest, AMappedFileGetsItsNameInTheUnion) {
  AddFile(1, "/d/ID/bin/sh");
  AddFile(2, "/d/ID-init/etc/x");
  AddFile(3, "/bin/sh");
  AddFile(4, "/d/ID-removing/x");
  AddTask({1, 2, 3, 4}, {});
  EXPECT_EQ(NewNames(), (Names{"/bin/sh", "/etc/x"}));
  EXPECT_EQ(Find().value().repairs[1].evidence,
            "in branch 1 of union web, \"/d/ID-init\"; only mappings refer to it");
}

TEST_F(PathRepairTest, AnOpenedFileOfThatNameInTheUnionIsLeftAlone) {
  AddFile(1, "/d/ID/bin/sh");
  AddTask({1}, {1});
  EXPECT_EQ(NewNames(), Names{});
  EXPECT_EQ(OnlyNote(),
            "files.img: entry 1: left alone: \"/d/ID/bin/sh\" lies in a branch of union web, but "
            "nothing tells that it is not a path inside the union");
}

TEST_F(PathRepairTest, TheUsersMapIsEvidenceForAnOpenedFile) {
  AddFile(1, "/d/ID/bin/sh");
  AddFile(2, "/d/ID");
  AddTask({}, {1, 2});
  explicit_ = true;
  EXPECT_EQ(NewNames(), (Names{"/bin/sh", "/"}));
}

TEST_F(PathRepairTest, AMountThatTheDumpDoesNotListIsEvidence) {
  AddFile(1, "/d/ID/bin/sh").entry.set_mnt_id(22);
  AddFile(2, "/d/ID/bin/ls").entry.set_mnt_id(44);
  AddTask({}, {1, 2});
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/")});
  EXPECT_EQ(NewNames(), Names{"/bin/sh"});
  EXPECT_EQ(Find().value().repairs[0].owner->entry.mnt_id(), 44U);
  EXPECT_EQ(OnlyNote(),
            "files.img: entry 2: left alone: \"/d/ID/bin/ls\" lies in a branch of union web, but "
            "nothing tells that it is not a path inside the union");
}

TEST_F(PathRepairTest, APathInsideANestedContainersUnionIsLeftAloneEvenAgainstTheMap) {
  AddFile(1, "/d/ID/bin/ls").entry.set_mnt_id(44);
  AddTask({1}, {});
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/")});
  explicit_ = true;
  EXPECT_EQ(NewNames(), Names{});
  EXPECT_EQ(OnlyNote(),
            "files.img: entry 1: left alone: \"/d/ID/bin/ls\" lies in a branch of union web, but "
            "it was reached through mount 44 of its own namespace");
}

TEST_F(PathRepairTest, TheUnionsRecordedMountIsKnownWithoutMountImages) {
  AddFile(1, "/d/ID/bin/ls").entry.set_mnt_id(44);
  AddTask({1}, {});
  EXPECT_EQ(NewNames(), Names{});
}

TEST_F(PathRepairTest, AFileOfThatVeryNameInTheMountedUnionSpeaksAgainstTheMap) {
  AddFile(1, "/d/ID/bin/sh");
  AddTask({1}, {});
  explicit_ = true;
  union_has_file_ = [](const MapUnion&, const std::string& path) -> Result<bool> {
    return path == "/d/ID/bin/sh";
  };
  EXPECT_EQ(OnlyNote(),
            "files.img: entry 1: left alone: \"/d/ID/bin/sh\" lies in a branch of union web, but "
            "the union has a file of that very name");
}

TEST_F(PathRepairTest, ANameOutsideTheMountpointNeedsNoOtherEvidence) {
  UseMap(kUnionBelow);
  AddFile(1, "/d/ID/bin/sh").entry.set_mnt_id(25);
  AddTask({}, {1});
  DumpMounts(
      7, {SampleMount(pb::OVERLAYFS, 44, 25, "/mnt/u"), SampleMount(pb::UNSUPPORTED, 25, 1, "/")});
  EXPECT_EQ(NewNames(), Names{"/mnt/u/bin/sh"});
  EXPECT_EQ(Find().value().repairs[0].evidence,
            "in branch 0 of union web, \"/d/ID\"; no file of the union has a name outside "
            "\"/mnt/u\"");
  EXPECT_EQ(Find().value().repairs[0].owner->entry.mnt_id(), 44U);
}

TEST_F(PathRepairTest, AUnionInsideItsBranchIsNotEnteredTwice) {
  UseMap("branch-map 1\nunion u\nmountpoint /d/ID/merged\nbranch rw /d/ID\n");
  AddFile(1, "/d/ID/merged/bin/sh");
  AddFile(2, "/d/ID/bin/sh");
  AddTask({1, 2}, {});
  explicit_ = true;
  EXPECT_EQ(NewNames(), Names{"/d/ID/merged/bin/sh"});
  EXPECT_EQ(OnlyNote(),
            "files.img: entry 1: left alone: \"/d/ID/merged/bin/sh\" lies in a branch of union u, "
            "but the union is mounted inside that branch");
}

TEST_F(PathRepairTest, AMappedFileOnAnotherDeviceThanTheBranchIsLeftAloneUnlessForced) {
  AddFile(1, "/d/ID/mnt/x");
  facts_.mappings.push_back({{"ckpt-raw.img", 1}, SampleMapping(1, "/d/ID/mnt/x", "/d/ID/mnt/x")});
  map_.unions[0].branches[0].device = 4;  // the mapping says 3
  explicit_ = true;
  EXPECT_EQ(NewNames(), Names{});
  EXPECT_EQ(
      OnlyNote(),
      "files.img: entry 1: left alone: \"/d/ID/mnt/x\" lies in a branch of union web, but the "
      "mapped file is on another device than the branch");
  force_ = true;
  EXPECT_EQ(NewNames(), Names{"/mnt/x"});
  force_ = false;
  map_.unions[0].branches[0].device = 3;
  EXPECT_EQ(NewNames(), Names{"/mnt/x"});
  map_.unions[0].branches[0].device = 1;  // as maps says; the branch lies in an overlay
  EXPECT_EQ(NewNames(), Names{"/mnt/x"});
}

TEST_F(PathRepairTest, WhatTheUnionShowsDecides) {
  AddFile(1, "/d/ID/lib/a");
  explicit_ = true;
  ResolvedFile found;
  found.rest = "/lib/a";
  resolve_ = [&](const FileQuestion&) -> Result<ResolvedFile> { return found; };
  found.fate = FileFate::kPresent;
  EXPECT_EQ(NewNames(), Names{"/lib/a"});
  found.fate = FileFate::kShadowed;
  found.why = "W";
  EXPECT_EQ(NewNames(),
            Names{"error: files.img: entry 1: \"/d/ID/lib/a\" was replaced in union web: "
                  "W (see --on-shadowed)"});
  found.fate = FileFate::kDeleted;
  EXPECT_EQ(NewNames(),
            Names{"error: files.img: entry 1: \"/d/ID/lib/a\" was deleted in union web: "
                  "W (see --on-deleted)"});
  found.fate = FileFate::kPresent;
  found.rest = "/lib/other";
  EXPECT_EQ(NewNames(), Names{"/lib/other"});
}

TEST_F(PathRepairTest, AGhostIsPutWhereTheUnionTakesFiles) {
  AddFile(1, "/d/ID/lib/a/b/c");
  LoseInUnion("/lib/a/b/c", "");
  EXPECT_EQ(NewNames(), Names{"/lib/a/b/c"});
  LoseInUnion("/lib/a/b/c", "/lib/a");
  EXPECT_EQ(NewNames(), Names{"/lib/c"});
  EXPECT_THAT(Find().value().repairs[0].evidence,
              testing::EndsWith("its ghost is put into \"/lib/\""));
  LoseInUnion("/lib/a/b/c", "/lib");
  EXPECT_EQ(NewNames(), Names{"/c"});
}

TEST_F(PathRepairTest, AGhostHasNoNameOfAufsItself) {
  AddFile(1, "/d/ID/lib/.wh..wh.x");
  LoseInUnion("/lib/.wh..wh.x", "/lib/.wh..wh.x");
  EXPECT_EQ(NewNames(), Names{"/lib/wh..wh.x"});
}

TEST_F(PathRepairTest, ABindMountShowsWhatAnotherMountCovers) {
  pb::mnt_entry bind = SampleMount(pb::AUFS, 50, 44, "/ro");
  bind.set_root_dev(44);
  bind.set_root("/data");
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/"), SampleMount(pb::TMPFS, 51, 44, "/data"), bind});
  AddFile(1, "/d/ID/data/x").entry.set_mnt_id(22);
  EXPECT_EQ(NewNames(), Names{"/ro/x"});
  EXPECT_EQ(Find().value().repairs[0].owner->entry.mnt_id(), 50U);
}

TEST_F(PathRepairTest, TheRecordedMapsPathDecidesARename) {
  AddFile(1, "/d/ID/lib/old");
  AddTask({}, {1});
  facts_.mappings.push_back({{"ckpt-raw.img", 1}, SampleMapping(1, "/d/ID/lib/old", "/lib/new")});
  EXPECT_EQ(NewNames(), Names{"/lib/new"});
  EXPECT_EQ(Find().value().repairs[0].evidence,
            "in branch 0 of union web, \"/d/ID\"; map_files of pid 42 links to it, maps says "
            "\"/lib/new\"");
}

TEST_F(PathRepairTest, AMapsPathThatIsABranchPathTooSaysNothingOfTheName) {
  AddFile(1, "/d/ID/lib/a");
  facts_.mappings.push_back({{"ckpt-raw.img", 1}, SampleMapping(1, "/d/ID/lib/a", "/d/ID/lib/a")});
  EXPECT_EQ(NewNames(), Names{"/lib/a"});
}

TEST_F(PathRepairTest, AFileDeletedInTheUnionIsRefused) {
  AddFile(1, "/d/ID/lib/gone");
  facts_.mappings.push_back(
      {{"ckpt-raw.img", 1}, SampleMapping(1, "/d/ID/lib/gone", "/lib/gone (deleted)")});
  EXPECT_EQ(NewNames(),
            Names{"error: files.img: entry 1: \"/d/ID/lib/gone\" was deleted in union "
                  "web: /proc/PID/maps said \"/lib/gone (deleted)\" (see --on-deleted)"});
}

TEST_F(PathRepairTest, ADeletedSuffixInBothNamesStays) {
  AddFile(1, "/d/ID/lib/x (deleted)");
  facts_.mappings.push_back(
      {{"ckpt-raw.img", 1}, SampleMapping(1, "/d/ID/lib/x (deleted)", "/lib/x (deleted)")});
  EXPECT_EQ(NewNames(), Names{"/lib/x (deleted)"});
}

TEST_F(PathRepairTest, NamesOfAufsItselfAreRefused) {
  AddFile(1, "/d/ID/.wh..wh.plnk/27.48");
  AddTask({1}, {});
  EXPECT_EQ(NewNames(), Names{"error: files.img: entry 1: \"/d/ID/.wh..wh.plnk/27.48\" is a name "
                              "of AUFS itself and none of the union"});
}

TEST_F(PathRepairTest, ANewNameUnderAnotherMountIsRefused) {
  AddFile(1, "/d/ID/etc/hosts").entry.set_mnt_id(22);
  DumpMounts(
      7, {SampleMount(pb::AUFS, 44, 1, "/"), SampleMount(pb::UNSUPPORTED, 46, 44, "/etc/hosts")});
  EXPECT_EQ(NewNames(),
            Names{"error: files.img: entry 1: \"/d/ID/etc/hosts\" would become \"/etc/hosts\", "
                  "which mount 46 at \"/etc/hosts\" covers"});
}

TEST_F(PathRepairTest, PathsMayReachButNotExceed4095Bytes) {
  UseMap("branch-map 1\nunion u\nmountpoint /mnt/union\nbranch rw /d\n");
  AddFile(1, "/d/" + std::string(4095 - 11, 'x'));
  EXPECT_EQ(NewNames()[0].size(), 4095U);
  facts_.files.clear();
  AddFile(1, "/d/" + std::string(4096 - 11, 'x'));
  EXPECT_TRUE(
      NewNames()[0].ends_with("would become a path of 4096 bytes, at most 4095 are allowed"))
      << NewNames()[0];
}

TEST_F(PathRepairTest, KeysAndForeignPathsAreNotTouched) {
  AddFile(1, "/d/ID/x").entry.set_ext(true);
  AddFile(2, "/dev/zero (deleted)");
  AddFile(3, "/memfd:x (deleted)");
  AddFile(4, "anon_inode:[eventfd]");
  AddFile(5, "/SYSV00000000 (deleted)");
  AddTask({1, 2, 3, 4, 5}, {});
  explicit_ = true;
  EXPECT_EQ(NewNames(), Names{});
  EXPECT_EQ(OnlyNote(), "0 notes");
}

constexpr std::string_view kSharedLayer = R"(branch-map 1
union one
  mountpoint /c/one
  mnt-ns 5
  branch rw /d/one
  branch ro /d/base
union two
  mountpoint /c/two
  mnt-ns 6
  branch rw /d/two
  branch ro /d/base
)";

TEST_F(PathRepairTest, ASharedLayerIsResolvedByTheMountNamespace) {
  UseMap(kSharedLayer);
  AddFile(1, "/d/base/x");
  AddTask({1}, {}, 6);
  EXPECT_EQ(NewNames(), Names{"/c/two/x"});
}

TEST_F(PathRepairTest, ASharedLayerIsResolvedByTheTasksRoot) {
  UseMap(kSharedLayer);
  for (MapUnion& mount : map_.unions) mount.mnt_ns_id.reset();
  AddFile(1, "/d/base/x");
  AddTask({1}, {}, std::nullopt, "/c/two");
  EXPECT_EQ(NewNames(), Names{"/c/two/x"});
}

TEST_F(PathRepairTest, ASharedLayerThatNothingTellsApartIsRefused) {
  UseMap(kSharedLayer);
  AddFile(1, "/d/base/x");
  EXPECT_EQ(NewNames(),
            Names{"error: files.img: entry 1: \"/d/base/x\" lies in a branch that "
                  "unions one and two share: it could be \"/c/one/x\" or \"/c/two/x\""});
}

TEST_F(PathRepairTest, TasksOfAnotherNamespaceKeepTheirPaths) {
  UseMap(kSharedLayer);
  AddFile(1, "/d/one/x");
  AddTask({1}, {}, 6);
  EXPECT_EQ(NewNames(), Names{});
  EXPECT_EQ(OnlyNote(),
            "files.img: entry 1: left alone: \"/d/one/x\" lies in a branch of union one, but only "
            "tasks of other mount namespaces refer to it");
}

TEST_F(PathRepairTest, AllFilesThatAreRefusedAreNamedAndTheFirstGivesTheCode) {
  resolve_ = [](const FileQuestion& question) -> Result<ResolvedFile> {
    ResolvedFile found;
    found.fate = FileFate::kDeleted;
    found.why = "gone";
    if (question.rest != "/missing") return found;
    return MakeError(ErrorCode::kNotFound, "is not below /root");
  };
  AddFile(1, "/d/ID/missing");
  AddFile(2, "/d/ID/deleted");
  AddTask({1, 2}, {});
  const auto found = Find();
  ASSERT_TRUE(found.has_error());
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(found.error().message,
            "2 files cannot be repaired:\n  files.img: entry 1: \"/d/ID/missing\" is not below "
            "/root\n  files.img: entry 2: \"/d/ID/deleted\" was deleted in union web: gone (see "
            "--on-deleted)");
}

TEST_F(PathRepairTest, ARepairedDumpHasNothingToRepair) {
  AddFile(1, "/d/ID/bin/sh").entry.set_mnt_id(22);
  AddTask({1}, {});
  explicit_ = true;
  facts_.files[0].entry.set_name(NewNames().at(0));
  EXPECT_EQ(NewNames(), Names{});
  EXPECT_EQ(OnlyNote(), "0 notes");
}

}  // namespace
}  // namespace ckpt
