#include "imgtool/facts_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "formats/proto/inventory.pb.h"
#include "imgtool/sample_dump.h"

namespace ckpt {
namespace {

class FactsReaderTest : public testing::Test {
 protected:
  FactsReaderTest() : dump_(Fresh(testing::TempDir() + "/facts_reader_test")) {}
  ~FactsReaderTest() override { std::filesystem::remove_all(dump_.directory()); }

  static std::string Fresh(const std::string& directory) {
    std::filesystem::remove_all(directory);
    return directory;
  }
  DumpFacts Read() { return ReadDumpFacts(dump_.directory()).value(); }

  SampleDump dump_;
};

TEST_F(FactsReaderTest, TasksAreJoinedWithTheirDescriptorsRootsAndNamespaces) {
  dump_.WriteFiles({SampleRegFile(1, "/bin/sh"), SampleRegFile(2, "/jail"),
                    SampleRegFile(3, "/lib/c"), SampleRegFile(4, "/data")});
  dump_.Write(ImageType::kMm, 42, std::vector{SampleMm(1, {1, 3})});
  dump_.Write(ImageType::kFs, 42, std::vector{SampleFs(2, 2)});
  dump_.Write(ImageType::kIds, 42, std::vector{SampleIds(9, 7)});
  pb::fdinfo_entry descriptor;
  descriptor.set_id(4);
  descriptor.set_flags(0);
  descriptor.set_type(pb::REG);
  descriptor.set_fd(0);
  dump_.Write(ImageType::kFdinfo, 9, std::vector{descriptor});
  const DumpFacts facts = Read();
  ASSERT_EQ(facts.files.size(), 4U);
  EXPECT_EQ(facts.files[3].place.Text(), "files.img: entry 3");
  EXPECT_EQ(facts.files[3].field_prefix, "reg.");
  EXPECT_TRUE(facts.uses.Get(3).MappedOnly());
  EXPECT_TRUE(facts.uses.Get(1).other);
  EXPECT_EQ(facts.uses.Get(4).mnt_ns_ids, std::set<uint32_t>{7});
  EXPECT_EQ(facts.uses.Get(4).roots, std::set<std::string>{"/jail"});
  EXPECT_TRUE(facts.mounts.empty());
  EXPECT_FALSE(facts.shared_mnt_ns_id);
}

TEST_F(FactsReaderTest, OldRegFilesAndDescriptorsWithoutIdsAreRead) {
  dump_.Write(ImageType::kRegFiles, 0, std::vector{SampleRegFile(4, "/data")});
  dump_.Write(ImageType::kVmas, 42, std::vector{SampleFileVma(4)});
  EXPECT_EQ(Read().files[0].field_prefix, "");
  EXPECT_TRUE(Read().uses.Get(4).MappedOnly());
  pb::fdinfo_entry descriptor;
  descriptor.set_id(4);
  descriptor.set_flags(0);
  descriptor.set_type(pb::REG);
  descriptor.set_fd(0);
  dump_.Write(ImageType::kFdinfo, 42, std::vector{descriptor});
  EXPECT_FALSE(Read().uses.Get(4).MappedOnly());
}

TEST_F(FactsReaderTest, TheFileBehindALinkedRemapIsUsedAndAGhostsNumberIsNone) {
  dump_.WriteFiles({SampleRegFile(1, "/a"), SampleRegFile(2, "/b")});
  pb::remap_file_path_entry remap;
  remap.set_orig_id(1);
  remap.set_remap_id(2);
  remap.set_remap_type(pb::GHOST);
  dump_.Write(ImageType::kRemapFpath, 0, std::vector{remap});
  EXPECT_FALSE(Read().uses.Get(2).other);
  remap.set_remap_type(pb::LINKED);
  dump_.Write(ImageType::kRemapFpath, 0, std::vector{remap});
  EXPECT_TRUE(Read().uses.Get(2).other);
}

TEST_F(FactsReaderTest, MountsAndRecordedFactsKeepTheirPlaces) {
  dump_.WriteFiles({});
  dump_.Write(ImageType::kMnts, 7, std::vector{SampleMount(pb::AUFS, 44, 1, "/")});
  dump_.Write(ImageType::kCkptRaw, 0,
              std::vector{SampleMappingFact(SampleMapping(9, "/d/x", "/x")),
                          SampleUnionFact(44, "/", {{"/d", "rw"}}),
                          SampleMappingFact(SampleMapping(3, "/d/y", "/y"))});
  pb::inventory_entry inventory;
  inventory.set_img_version(2);
  *inventory.mutable_root_ids() = SampleIds(1, 7);
  dump_.Write(ImageType::kInventory, 0, std::vector{inventory});
  const DumpFacts facts = Read();
  EXPECT_EQ(facts.mounts.Find(44)->place.Text(), "mountpoints-7.img: entry 0");
  ASSERT_EQ(facts.unions.size(), 1U);
  EXPECT_EQ(facts.unions[0].place.Text(), "ckpt-raw.img: entry 1");
  ASSERT_EQ(facts.mappings.size(), 2U);
  EXPECT_EQ(facts.mappings[0].place.Text(), "ckpt-raw.img: entry 2");
  EXPECT_EQ(facts.shared_mnt_ns_id, 7U);
  const DumpedFile file = SampleFile(9, "/d/x");
  EXPECT_EQ(FindMapping(facts, file)->place.Text(), "ckpt-raw.img: entry 0");
  EXPECT_EQ(FindMapping(facts, SampleFile(9, "/d/other")), nullptr);
  EXPECT_EQ(FindMapping(facts, SampleFile(8, "/d/x")), nullptr);
}

TEST_F(FactsReaderTest, TheFirstProcessHasTheFirstNamespaceWhateverItsNumber) {
  dump_.WriteFiles({});
  std::vector<pb::pstree_entry> tasks(2);
  for (size_t i = 0; i < tasks.size(); ++i) {
    const auto pid = static_cast<uint32_t>(9 - i);
    tasks[i].set_pid(pid);
    tasks[i].set_ppid(i == 0 ? 0 : 9);
    tasks[i].set_pgid(9);
    tasks[i].set_sid(9);
    tasks[i].add_threads(pid);
    const uint32_t mnt_ns_id = i == 0 ? 12 : 11;
    dump_.Write(ImageType::kIds, pid, std::vector{SampleIds(pid, mnt_ns_id)});
    dump_.Write(ImageType::kMnts, mnt_ns_id,
                std::vector{SampleMount(pb::AUFS, 100 + mnt_ns_id, 1, "/")});
  }
  EXPECT_FALSE(Read().root_mnt_ns_id);
  EXPECT_EQ(MountsToMake(Read()).front().entry.mnt_id(), 111U);
  dump_.Write(ImageType::kPstree, 0, tasks);
  EXPECT_EQ(Read().root_mnt_ns_id, 12U);
  EXPECT_EQ(MountsToMake(Read()).front().entry.mnt_id(), 112U);
}

TEST_F(FactsReaderTest, AMountIsKnownAsItWasBeforeAFixup) {
  dump_.WriteFiles({});
  dump_.Write(ImageType::kMnts, 7,
              std::vector{SampleMount(pb::UNSUPPORTED, 44, 1, "/", "discard"),
                          SampleMount(pb::PROC, 45, 44, "/proc")});
  std::vector<pb::raw_fact_entry> facts(2);
  for (size_t i = 0; i < facts.size(); ++i) {
    facts[i].mutable_mount()->set_mnt_ns_id(7);
    *facts[i].mutable_mount()->mutable_before() =
        SampleMount(pb::AUFS, 44, 1, "/", i == 0 ? "si=1f" : "later");
  }
  facts.emplace_back().mutable_mount()->set_mnt_ns_id(8);
  *facts[2].mutable_mount()->mutable_before() = SampleMount(pb::AUFS, 44, 1, "/");
  dump_.Write(ImageType::kCkptRaw, 0, facts);
  const DumpFacts read = Read();
  const DumpedMount& mount = *read.mounts.Find(44);
  EXPECT_TRUE(mount.is_repaired);
  EXPECT_EQ(mount.entry.options(), "discard");
  EXPECT_EQ(mount.origin.options(), "si=1f");
  EXPECT_FALSE(read.mounts.Find(45)->is_repaired);
  EXPECT_EQ(read.mounts.Find(45)->origin.fstype(), uint32_t{pb::PROC});
}

TEST_F(FactsReaderTest, ADirectoryWithoutFilesImagesIsNoDump) {
  dump_.WriteFile("pages-1.img", "x");
  const auto facts = ReadDumpFacts(dump_.directory());
  EXPECT_EQ(facts.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(facts.error().message,
            dump_.directory() + ": neither files.img nor reg-files.img is there");
}

TEST_F(FactsReaderTest, ABrokenImageIsNamed) {
  dump_.WriteFile("files.img", "abc");
  const auto facts = ReadDumpFacts(dump_.directory());
  EXPECT_EQ(facts.error().code, ErrorCode::kBadFormat);
  EXPECT_TRUE(facts.error().message.starts_with(dump_.Path("files.img"))) << facts.error().message;
}

}  // namespace
}  // namespace ckpt
