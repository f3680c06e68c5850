#include "dumper/mappings.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/vma_status.h"
#include "process/smaps.h"

namespace ckpt {
namespace {

// Looks at mappings of this very process.
class MappingsTest : public testing::Test {
 protected:
  static constexpr size_t kBytes = 4 * 4096;

  static void* Map(int protection, int flags, int fd = -1, off_t offset = 0) {
    return mmap(nullptr, kBytes, protection, flags, fd, offset);
  }
  CollectedMappings Collect() {
    mappings_ = ReadSmaps(getpid()).value();
    return CollectMappings(getpid(), mappings_, files_, refusals_).value();
  }
  static const pb::vma_entry& At(const CollectedMappings& collected, const void* address) {
    for (const pb::vma_entry& vma : collected.vmas) {
      if (vma.start() == reinterpret_cast<uint64_t>(address)) return vma;
    }
    return pb::vma_entry::default_instance();
  }

  std::vector<Mapping> mappings_;
  FileTable files_;
  Refusals refusals_;
};

TEST_F(MappingsTest, AnonymousMemoryKeepsItsProtectionFlagsAndAdvice) {
  void* area = Map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  madvise(area, kBytes, MADV_DONTFORK);
  madvise(area, kBytes, MADV_NOHUGEPAGE);
  const pb::vma_entry vma = At(Collect(), area);
  munmap(area, kBytes);
  EXPECT_EQ(vma.prot(), uint32_t{PROT_READ | PROT_WRITE});
  EXPECT_EQ(vma.flags(), uint32_t{MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE});
  EXPECT_EQ(vma.status(), kVmaRegular | kVmaAnonPrivate);
  EXPECT_EQ(vma.madv(), uint64_t{1} << MADV_DONTFORK | uint64_t{1} << MADV_NOHUGEPAGE);
  EXPECT_EQ(vma.fd(), -1);
}

TEST_F(MappingsTest, FileMappingsPointToOneEntryForEachWayToOpenTheFile) {
  const std::string path = testing::TempDir() + "/mappings_test";
  ASSERT_TRUE(WriteWholeFile(path, AsBytes(std::string(2 * kBytes, 'x')), 0600).has_value());
  const UniqueFd fd = OpenFile(path, O_RDWR).value();
  const UniqueFd read_only = OpenFile(path, O_RDONLY).value();
  void* private_map = Map(PROT_READ, MAP_PRIVATE, read_only.get(), kBytes);
  void* shared_map = Map(PROT_READ, MAP_SHARED, fd.get());
  const CollectedMappings collected = Collect();
  munmap(private_map, kBytes);
  munmap(shared_map, kBytes);
  unlink(path.c_str());
  const pb::vma_entry& of_private = At(collected, private_map);
  const pb::vma_entry& of_shared = At(collected, shared_map);
  EXPECT_EQ(of_private.status(), kVmaRegular | kVmaFilePrivate);
  EXPECT_EQ(of_private.pgoff(), kBytes);
  EXPECT_EQ(of_shared.status(), kVmaRegular | kVmaFileShared);
  EXPECT_NE(of_private.shmid(), of_shared.shmid());
  const auto& entry = files_.entries()[of_shared.shmid() - 1].reg();
  EXPECT_TRUE(entry.name().ends_with("/mappings_test"));
  EXPECT_EQ(entry.flags(), uint32_t{O_RDWR});
  EXPECT_EQ(files_.entries()[of_private.shmid() - 1].reg().flags(), uint32_t{O_RDONLY});
}

// Who has a file open for writing keeps it from being executed, by a mapping, too.
TEST_F(MappingsTest, APrivateMappingKeepsWhatItsFileWasOpenedFor) {
  const std::string path = testing::TempDir() + "/private_mapping_test";
  ASSERT_TRUE(WriteWholeFile(path, AsBytes(std::string(kBytes, 'x')), 0600).has_value());
  const UniqueFd read_only = OpenFile(path, O_RDONLY).value();
  const UniqueFd writable = OpenFile(path, O_RDWR).value();
  void* of_read_only = Map(PROT_READ | PROT_WRITE, MAP_PRIVATE, read_only.get());
  void* between = Map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS);
  void* of_writable = Map(PROT_READ | PROT_WRITE, MAP_PRIVATE, writable.get());
  const CollectedMappings collected = Collect();
  for (void* area : {of_read_only, between, of_writable}) munmap(area, kBytes);
  EXPECT_EQ(At(collected, of_read_only).fdflags(), uint32_t{O_RDONLY});
  EXPECT_EQ(At(collected, of_writable).fdflags(), uint32_t{O_RDWR});
  unlink(path.c_str());
}

TEST_F(MappingsTest, SharedAnonymousMemoryHasTheNumberOfItsFileAndNoFileEntry) {
  void* area = Map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
  const CollectedMappings collected = Collect();
  munmap(area, kBytes);
  const pb::vma_entry& entry = At(collected, area);
  EXPECT_EQ(entry.status(), kVmaRegular | kVmaAnonShared);
  EXPECT_EQ(entry.flags(), uint32_t{MAP_SHARED | MAP_ANONYMOUS});
  EXPECT_NE(entry.shmid(), 0U);
  EXPECT_TRUE(refusals_.findings().empty());
  for (const pb::file_entry& file : files_.entries()) EXPECT_NE(file.reg().name(), "/dev/zero");
}

TEST_F(MappingsTest, MemoryFilesAndSystemVSharedMemoryAreRefused) {
  const UniqueFd file(memfd_create("of_test", 0));
  ASSERT_EQ(ftruncate(file.get(), kBytes), 0);
  void* const mapped = mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, file.get(), 0);
  const int segment = shmget(IPC_PRIVATE, kBytes, 0600);
  void* const attached = shmat(segment, nullptr, 0);
  shmctl(segment, IPC_RMID, nullptr);
  Collect();
  munmap(mapped, kBytes);
  shmdt(attached);
  std::vector<std::string> findings = refusals_.findings();
  ASSERT_EQ(findings.size(), 2U);
  std::ranges::sort(findings, {}, [](const std::string& text) { return text.find("memfd"); });
  EXPECT_TRUE(
      findings[0].ends_with("/memfd:of_test (deleted): a memory file (memfd), not "
                            "supported yet"))
      << findings[0];
  EXPECT_TRUE(findings[1].ends_with("System V shared memory, not supported yet")) << findings[1];
}

TEST_F(MappingsTest, TheVdsoIsDumpedWholeAndVvarIsOneEntryWithoutPages) {
  const CollectedMappings collected = Collect();
  size_t vvar_count = 0;
  for (const pb::vma_entry& vma : collected.vmas) vvar_count += (vma.status() & kVmaVvar) != 0;
  EXPECT_EQ(vvar_count, 1U);
  const auto vdso = std::ranges::find(mappings_, SpecialMapping::kVdso, SpecialMappingOf);
  ASSERT_NE(vdso, mappings_.end());
  size_t whole_count = 0;
  for (const PagesToDump& source : FindPagesToDump(mappings_)) {
    whole_count += source.whole && source.range == RemoteRange{vdso->start, vdso->end};
    for (const pb::vma_entry& vma : collected.vmas) {
      if ((vma.status() & kVmaVvar) == 0) continue;
      EXPECT_FALSE(source.range.Overlaps({vma.start(), vma.end()}));
    }
  }
  EXPECT_EQ(whole_count, 1U);
}

TEST(PagesToDumpTest, NeighboursAreOneScanWhereTheyAskForTheSamePages) {
  std::vector<Mapping> mappings(5);
  for (size_t i = 0; i < mappings.size(); ++i) {
    mappings[i].start = 0x1000 * (i + 1);
    mappings[i].end = 0x1000 * (i + 2);
  }
  mappings[2].inode = 7;      // of a file: other pages
  mappings[3].shared = true;  // none
  const auto pages = FindPagesToDump(mappings);
  ASSERT_EQ(pages.size(), 3U);
  EXPECT_EQ(pages[0].range, (RemoteRange{0x1000, 0x3000}));
  EXPECT_EQ(pages[0].selection, PageSelection::kPopulated);
  EXPECT_EQ(pages[1].range, (RemoteRange{0x3000, 0x4000}));
  EXPECT_EQ(pages[1].selection, PageSelection::kPrivate);
  EXPECT_EQ(pages[2].range, (RemoteRange{0x5000, 0x6000}));
}

TEST(PagesToDumpTest, WhatIsAllPrivateIsTakenWholeAndWhatHasNoPrivatePageNotAtAll) {
  std::vector<Mapping> mappings(5);
  for (size_t i = 0; i < mappings.size(); ++i) {
    mappings[i].start = 0x10000 * (i + 1);
    mappings[i].end = mappings[i].start + 0x3000;
    mappings[i].usage = MappingUsage{.rss_bytes = 0x3000};
  }
  mappings[1].usage->anonymous_bytes = 0x1000;
  mappings[2].usage->anonymous_bytes = 0x3000;
  mappings[3].path = "[vdso]";
  mappings[4].usage->swap_bytes = 0x3000;  // of a file in memory, perhaps
  const auto pages = FindPagesToDump(mappings);
  ASSERT_EQ(pages.size(), 4U);
  EXPECT_EQ(pages[0].range.start, 0x20000U);
  EXPECT_FALSE(pages[0].whole);
  EXPECT_EQ(pages[1].range, (RemoteRange{0x30000, 0x33000}));
  EXPECT_TRUE(pages[1].whole);
  EXPECT_EQ(pages[2].range.start, 0x40000U);
  EXPECT_TRUE(pages[2].whole);
  EXPECT_EQ(pages[3].range.start, 0x50000U);
  EXPECT_FALSE(pages[3].whole);
}

TEST(RangesWithHolesTest, AMappingWithAllItsPagesIsLeftOutAndNeighboursAreJoined) {
  std::vector<Mapping> mappings(4);
  for (size_t i = 0; i < mappings.size(); ++i) {
    mappings[i].start = 0x2000 * (i + 1);
    mappings[i].end = 0x2000 * (i + 2);
    mappings[i].usage = MappingUsage{.rss_bytes = 0x1000};
  }
  mappings[2].usage->swap_bytes = 0x1000;
  EXPECT_EQ(FindRangesWithHoles(mappings),
            (std::vector<RemoteRange>{{0x2000, 0x6000}, {0x8000, 0xa000}}));
  mappings[0].path = "[vvar]";
  EXPECT_EQ(FindRangesWithHoles(mappings),
            (std::vector<RemoteRange>{{0x4000, 0x6000}, {0x8000, 0xa000}}));
}

TEST_F(MappingsTest, UsageIsJoinedByAddress) {
  std::vector<Mapping> smaps = ReadSmaps(getpid()).value();
  std::vector<Mapping> mappings = smaps;
  for (Mapping& mapping : mappings) mapping.usage.reset();
  ASSERT_TRUE(AddUsage(smaps, mappings).has_value());
  EXPECT_EQ(mappings, smaps);
  smaps.erase(smaps.begin());
  EXPECT_EQ(AddUsage(smaps, mappings).error().message,
            fmt::format("mapping {:#x}-{:#x} is not in smaps", mappings[0].start, mappings[0].end));
}

}  // namespace
}  // namespace ckpt
