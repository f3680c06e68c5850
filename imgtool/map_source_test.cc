#include "imgtool/map_source.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "imgtool/branch_map_text.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/sample_dump.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

std::string Text(const Result<BranchMap>& map) {
  return map.has_error() ? "error: " + map.error().message : PrintBranchMap(map.value());
}

constexpr std::string_view kTwoBranches =
    "branch-map 1\nunion aufs\n  mountpoint /\n  type aufs\n  branch rw /a\n  branch ro /b\n";

class MapSourceTest : public DirectoryFixture {};

TEST_F(MapSourceTest, OfEveryKindIsRecognisedByItsContent) {
  EXPECT_EQ(Text(ReadMapSource(Put("own", kTwoBranches))), kTwoBranches);
  EXPECT_EQ(Text(ReadMapSource(Put("commented", "\n# c\n" + std::string(kTwoBranches)))),
            kTwoBranches);
  EXPECT_EQ(Text(ReadMapSource(Put("options", "br:/a=rw:/b=ro"))), kTwoBranches);
  EXPECT_EQ(Text(ReadMapSource("br:/a=rw:/b=ro")), kTwoBranches);
  EXPECT_EQ(Text(ReadMapSource(Put("json", R"([{"Type": "aufs", "Options": ["br:/a:/b"]}])"))),
            kTwoBranches);
  EXPECT_EQ(ReadMapSource(Put("log", "/sys/fs/aufs/si_1/br0 : /a\n")).value().unions[0].si, "1");
  EXPECT_EQ(ReadMapSource("44 29 0:24 / / rw - aufs none rw,br:/a=rw").value().unions[0].device,
            24U);
}

TEST_F(MapSourceTest, DirectoriesAreTo) {
  fs::create_directories(directory_ + "/si_1");
  Put("si_1/br0", "/a=rw\n");
  EXPECT_EQ(ReadMapSource(directory_ + "/si_1").value().unions[0].si, "1");
  SampleDump dump(directory_ + "/dump");
  dump.WriteFiles({});
  dump.Write(ImageType::kCkptRaw, 0, std::vector{SampleUnionFact(44, "/", {{"/a", "rw"}})});
  EXPECT_EQ(ReadMapSource(directory_ + "/dump").value().unions[0].id, "7:44");
}

TEST_F(MapSourceTest, AListOfLayersIsNamedWithTheLayerThatIsMeant) {
  fs::create_directory(directory_ + "/overlay-layers");
  const std::string list =
      Put("overlay-layers/layers.json", R"([{"id":"a"},{"id":"b","parent":"a"},{"id":"c"}])");
  EXPECT_EQ(ReadMapSource(list + "#b").value().unions[0].branches.size(), 2U);
  EXPECT_EQ(ReadMapSource(list + "#c").value().unions[0].branches.size(), 1U);
  EXPECT_EQ(ReadMapSource(list).error().code, ErrorCode::kUsage);
}

TEST_F(MapSourceTest, WhatIsNoSourceIsRefusedWithAListOfWhatIs) {
  EXPECT_EQ(Text(ReadMapSource("/no/such/file")), "error: /no/such/file: no such file");
  const std::string text = Text(ReadMapSource(Put("x", "hello\n")));
  EXPECT_TRUE(text.starts_with("error: " + directory_ + "/x: none of the sources of branches: "))
      << text;
}

// Where unions are mounted in a dump.
class PlaceUnionsTest : public testing::Test {
 protected:
  void DumpMounts(uint32_t mnt_ns_id, const std::vector<pb::mnt_entry>& mounts) {
    facts_.mounts.AddNamespace(mnt_ns_id, SampleMounts(mnt_ns_id, mounts));
  }
  std::string Place(const std::string& source) {
    const auto map = ReadMapSource(source);
    if (map.has_error()) return "error: " + map.error().message;
    const auto placed = PlaceUnions(map.value(), facts_);
    if (placed.has_error()) return "error: " + placed.error().message;
    std::string text;
    for (const MapUnion& mount : placed.value().unions) {
      text +=
          fmt::format("{} at {} mount {};", mount.id, mount.mountpoint, mount.mnt_id.value_or(0));
    }
    return text;
  }

  // What `imgtool branches` prints of a union in two namespaces.
  static constexpr char in_both_as_text_[] =
      "branch-map 1\nunion 1\n mountpoint /\n mnt-ns 7\n mnt-id 44\n si 1\n branch rw /a\n"
      "union 8:1\n mountpoint /mnt/u\n mnt-ns 8\n mnt-id 60\n si 1\n branch rw /a\n";

  DumpFacts facts_;
};

constexpr char kTwoUnions[] = "/sys/fs/aufs/si_1f/br0:/a=rw\n/sys/fs/aufs/si_1/br0:/b=rw\n";

TEST_F(PlaceUnionsTest, AufsIdsAreFoundInTheOptionsOfDumpedMounts) {
  pb::mnt_entry bind = SampleMount(pb::AUFS, 50, 44, "/bind", "si=1,dio");
  bind.set_root("/sub");
  DumpMounts(7, {bind, SampleMount(pb::AUFS, 44, 1, "/", "rw,si=1")});
  EXPECT_EQ(Place(kTwoUnions), "1 at / mount 44;");
}

TEST_F(PlaceUnionsTest, AufsIdsAreFoundInWhatWasRecorded) {
  facts_.unions.push_back({{"ckpt-raw.img", 0}, SampleUnionFact(44, "/mnt/u", {}).union_mount()});
  EXPECT_EQ(Place(kTwoUnions), "1f at /mnt/u mount 44;");
  facts_.unions.clear();
  EXPECT_EQ(Place(kTwoUnions),
            "error: the dump has none of the unions of the map: no mount of it has one of their "
            "ids or devices");
}

// As after unshare(2).
TEST_F(PlaceUnionsTest, AUnionOfSeveralNamespacesIsInTheMapOnceForEach) {
  pb::mnt_entry part = SampleMount(pb::AUFS, 59, 58, "/part", "si=1");
  part.set_root("/sub");
  pb::mnt_entry whole = SampleMount(pb::AUFS, 60, 58, "/mnt/u", "si=1");
  for (pb::mnt_entry* mount : {&part, &whole}) mount->set_root_dev(44);
  DumpMounts(7, {SampleMount(pb::AUFS, 44, 1, "/", "si=1")});
  DumpMounts(8, {SampleMount(pb::TMPFS, 58, 1, "/"), part, whole});
  DumpMounts(9, {SampleMount(pb::AUFS, 70, 1, "/", "si=2")});
  const std::string in_both = "1 at / mount 44;8:1 at /mnt/u mount 60;";
  EXPECT_EQ(Place("/sys/fs/aufs/si_1/br0:/a=rw\n"), in_both);
  EXPECT_EQ(Place(in_both_as_text_), in_both);
}

TEST_F(PlaceUnionsTest, AHostsMountIsFoundByItsDevice) {
  pb::mnt_entry root = SampleMount(pb::OVERLAYFS, 44, 1, "/");
  root.set_root_dev(30);
  DumpMounts(7, {root});
  EXPECT_EQ(Place("99 29 0:30 / /merged rw - overlay overlay rw,lowerdir=/l"), "99 at / mount 44;");
}

TEST_F(PlaceUnionsTest, TheOnlyUnionIsTheRootOfTheOnlyNamespace) {
  DumpMounts(7, {SampleMount(pb::OVERLAYFS, 44, 1, "/")});
  EXPECT_EQ(Place("overlay /merged overlay rw,lowerdir=/l 0 0"), "/merged at / mount 44;");
  facts_.shared_mnt_ns_id = 7;
  EXPECT_EQ(Place("overlay /merged overlay rw,lowerdir=/l 0 0"), "/merged at /merged mount 0;");
}

TEST_F(PlaceUnionsTest, AMountpointThatTheUserSaysStays) {
  DumpMounts(7, {SampleMount(pb::OVERLAYFS, 44, 1, "/")});
  EXPECT_EQ(Place("branch-map 1\nunion u\nmountpoint /mnt/u\nbranch rw /a\n"),
            "u at /mnt/u mount 0;");
}

}  // namespace
}  // namespace ckpt
