#include "restorer/memory_plan.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <string>
#include <vector>

#include "formats/vma_status.h"
#include "restorer/sample_images.h"

namespace ckpt {
namespace {

using ::testing::ElementsAre;
using Kind = MappingPlan::Kind;

constexpr uint32_t kAnonymous = kVmaRegular | kVmaAnonPrivate;
constexpr uint32_t kAnonymousFlags = MAP_PRIVATE | MAP_ANONYMOUS;

class MemoryPlanTest : public testing::Test {
 protected:
  TaskImages& task() { return images_.tasks.front(); }
  pb::vma_entry& Add(uint64_t start, uint64_t end, uint32_t status = kAnonymous,
                     uint32_t flags = kAnonymousFlags, uint32_t protection = PROT_READ) {
    return *task().mm->add_vmas() = SampleMapping(start, end, status, flags, protection);
  }
  void AddPages(uint64_t start, uint64_t end, uint64_t offset_bytes) {
    task().pages.push_back({.range = {start, end}, .source = 0, .offset_bytes = offset_bytes});
  }
  AddressSpacePlan Plan() {
    AddressSpacePlan plan = PlanAddressSpace(task(), {}, findings_);
    const Result<> result = findings_.AsResult();
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return plan;
  }
  std::string Error() {
    PlanAddressSpace(task(), {}, findings_);
    const Result<> result = findings_.AsResult();
    return result.has_error() ? result.error().message : "";
  }

  DumpImages images_ = SampleImages();
  Findings findings_;
};

TEST_F(MemoryPlanTest, MappingsOfFilesAndOfNothing) {
  const AddressSpacePlan plan = Plan();
  ASSERT_EQ(plan.mappings.size(), 2U);
  EXPECT_EQ(plan.mappings[0].kind, Kind::kFile);
  EXPECT_EQ(plan.mappings[0].range, (RemoteRange{0x400000, 0x401000}));
  EXPECT_EQ(plan.mappings[0].file_id, kSampleExeId);
  EXPECT_EQ(plan.mappings[0].protection, PROT_READ | PROT_EXEC);
  EXPECT_EQ(plan.mappings[1].kind, Kind::kAnonymous);
  EXPECT_EQ(plan.mappings[1].flags, MAP_PRIVATE | MAP_ANONYMOUS);
}

TEST_F(MemoryPlanTest, MappingsThatOverlapAreAnError) {
  Add(0x500000, 0x502000);
  EXPECT_EQ(Error(),
            "mm-42.img: mapping 0x500000-0x502000: begins before the end of the mapping before "
            "it, 0x501000");
}

TEST_F(MemoryPlanTest, MappingsThatAreNotSortedAreAnError) {
  Add(0x300000, 0x301000);
  EXPECT_EQ(Error(),
            "mm-42.img: mapping 0x300000-0x301000: begins before the end of the mapping before "
            "it, 0x501000");
}

TEST_F(MemoryPlanTest, ARangeMustBeOfWholePagesInUserSpace) {
  Add(0x600000, 0x600800);
  Add(0x700000, 0x700000);
  Add(0xffff800000000000, 0xffff800000001000);
  EXPECT_EQ(Error(),
            "mm-42.img: mapping 0x600000-0x600800: not a range of whole pages below "
            "0xfffffffffff000\n"
            "mm-42.img: mapping 0x700000-0x700000: not a range of whole pages below "
            "0xfffffffffff000\n"
            "mm-42.img: mapping 0xffff800000000000-0xffff800000001000: not a range of whole pages "
            "below 0xfffffffffff000");
}

TEST_F(MemoryPlanTest, TheVsyscallPageIsTheKernelsOwn) {
  Add(0xffffffffff600000, 0xffffffffff601000, kVmaVsyscall | kVmaAnonPrivate);
  EXPECT_EQ(Plan().mappings.size(), 2U);
}

TEST_F(MemoryPlanTest, GuardRegionsLieInOtherMappings) {
  Add(0x500000, 0x501000, kVmaGuard);
  EXPECT_THAT(Plan().guards, ElementsAre(RemoteRange{0x500000, 0x501000}));
}

TEST_F(MemoryPlanTest, KindsThatAreNotSupportedAreNamed) {
  Add(0x600000, 0x601000, kVmaRegular | kVmaSysvIpc, MAP_SHARED | MAP_ANONYMOUS);
  Add(0x700000, 0x701000, kVmaRegular | kVmaAnonPrivate | kVmaShadowStack);
  Add(0x800000, 0x801000, kVmaRegular);
  EXPECT_EQ(Error(),
            "mm-42.img: mapping 0x600000-0x601000: is System V shared memory, which is not "
            "supported\n"
            "mm-42.img: mapping 0x700000-0x701000: is a shadow stack, which is not supported\n"
            "mm-42.img: mapping 0x800000-0x801000: status 0x1 names no kind of mapping");
}

TEST_F(MemoryPlanTest, HugePagesAreRefusedByName) {
  Add(0x600000, 0x800000, kAnonymous, kAnonymousFlags | MAP_HUGETLB);
  EXPECT_EQ(Error(),
            "mm-42.img: mapping 0x600000-0x800000: map flags 0x40022, of which 0x40000 are not "
            "supported (huge pages)");
}

TEST_F(MemoryPlanTest, AFileIsOpenedAsItWasOrForWhatItsMappingNeeds) {
  const uint32_t shared = kVmaRegular | kVmaFileShared;
  Add(0x600000, 0x601000, shared, MAP_SHARED, PROT_READ).set_fdflags(O_RDWR);
  Add(0x700000, 0x701000, shared, MAP_SHARED, PROT_READ | PROT_WRITE);
  Add(0x800000, 0x801000, shared, MAP_SHARED, PROT_READ).set_fdflags(O_RDONLY);
  Add(0x900000, 0x901000, kVmaRegular | kVmaFilePrivate, MAP_PRIVATE, PROT_WRITE)
      .set_fdflags(O_RDWR);
  Add(0xa00000, 0xa01000, kVmaRegular | kVmaFilePrivate, MAP_PRIVATE, PROT_WRITE);
  const AddressSpacePlan plan = Plan();
  ASSERT_EQ(plan.mappings.size(), 7U);
  EXPECT_EQ(plan.mappings[2].file_access, O_RDWR);
  EXPECT_EQ(plan.mappings[3].file_access, O_RDWR);
  EXPECT_EQ(plan.mappings[4].file_access, O_RDONLY);
  EXPECT_EQ(plan.mappings[5].file_access, O_RDWR);
  EXPECT_EQ(plan.mappings[6].file_access, O_RDONLY);
}

TEST_F(MemoryPlanTest, StatusAndFlagsMustAgree) {
  Add(0x600000, 0x601000, kVmaRegular | kVmaFileShared, MAP_PRIVATE);
  Add(0x700000, 0x701000, kAnonymous, MAP_PRIVATE);
  EXPECT_EQ(Error(),
            "mm-42.img: mapping 0x600000-0x601000: a shared file mapping by its status, but not by "
            "its flags 0x2\n"
            "mm-42.img: mapping 0x700000-0x701000: private anonymous by its status, but not by its "
            "flags 0x2");
}

TEST_F(MemoryPlanTest, MadviseBitsBecomeAdvice) {
  Add(0x600000, 0x601000).set_madv(uint64_t{1} << MADV_DONTDUMP | uint64_t{1} << MADV_NOHUGEPAGE);
  Add(0x700000, 0x701000).set_madv(1 << 5);
  EXPECT_EQ(Error(), "mm-42.img: mapping 0x700000-0x701000: madvise bits 0x20 are not supported");
  EXPECT_THAT(PlanAddressSpace(task(), {}, findings_).mappings[2].advice,
              ElementsAre(MADV_NOHUGEPAGE, MADV_DONTDUMP));
}

TEST_F(MemoryPlanTest, PagesOfNeighboursInMemoryAndInTheFileAreOneRun) {
  Add(0x501000, 0x503000);
  AddPages(0x500000, 0x502000, 0);
  AddPages(0x502000, 0x503000, 0x2000);
  const AddressSpacePlan plan = Plan();
  ASSERT_EQ(plan.pages.size(), 1U);
  EXPECT_EQ(plan.pages[0].range, (RemoteRange{0x500000, 0x503000}));
  EXPECT_FALSE(plan.mappings[0].has_pages);
  EXPECT_TRUE(plan.mappings[1].has_pages);
  EXPECT_TRUE(plan.mappings[2].has_pages);
}

TEST_F(MemoryPlanTest, PagesOutsideOfPrivateMappingsAreAnError) {
  Add(0x600000, 0x601000, kVmaRegular | kVmaFileShared, MAP_SHARED);
  AddPages(0x500000, 0x502000, 0);
  AddPages(0x600000, 0x601000, 0x2000);
  EXPECT_EQ(Error(),
            "pagemap-42.img: pages 0x501000-0x502000 lie outside of private mappings\n"
            "pagemap-42.img: pages 0x600000-0x601000 lie outside of private mappings");
}

TEST_F(MemoryPlanTest, PagesOfTheVdsoAreKeptApart) {
  Add(0x501000, 0x503000, kAnonymous | kVmaVdso);
  AddPages(0x500000, 0x503000, 0);
  const AddressSpacePlan plan = Plan();
  ASSERT_EQ(plan.pages.size(), 1U);
  EXPECT_EQ(plan.pages[0].range, (RemoteRange{0x500000, 0x501000}));
  ASSERT_EQ(plan.vdso_pages.size(), 1U);
  EXPECT_EQ(plan.vdso_pages[0].range, (RemoteRange{0x501000, 0x503000}));
  EXPECT_EQ(plan.vdso_pages[0].offset_bytes, 0x1000U);
}

TEST_F(MemoryPlanTest, ThereIsOneVdsoOfAFewPages) {
  Add(0x600000, 0x800000, kAnonymous | kVmaVdso);
  Add(0x900000, 0x902000, kAnonymous | kVmaVdso);
  EXPECT_EQ(Error(),
            "mm-42.img: mapping 0x600000-0x800000: a vdso of 2097152 bytes, at most 262144 are "
            "allowed\n"
            "mm-42.img: mapping 0x900000-0x902000: a second vdso");
}

TEST_F(MemoryPlanTest, AuxvEndsWithOneAtNull) {
  for (const uint64_t word : {6, 4096, 3, 0x400040, 0, 0, 0, 0}) {
    task().mm->add_mm_saved_auxv(word);
  }
  EXPECT_THAT(Plan().layout.auxv, ElementsAre(6, 4096, 3, 0x400040, 0, 0));
}

TEST_F(MemoryPlanTest, AsynchronousIoIsRefused) {
  pb::aio_ring_entry& ring = *task().mm->add_aios();
  ring.set_id(0x600000);
  EXPECT_EQ(Error(), "mm-42.img: 1 asynchronous I/O contexts, which are not supported");
}

}  // namespace
}  // namespace ckpt
