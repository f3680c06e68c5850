#include "restorer/shared_memory_plan.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "formats/vma_status.h"
#include "restorer/plan_builder.h"
#include "restorer/sample_images.h"

namespace ckpt {
namespace {

constexpr uint64_t kId = 77;

DumpImages ImagesWith(const pb::vma_entry& vma) {
  DumpImages images = SampleImages();
  *images.tasks.front().mm->add_vmas() = vma;
  return images;
}

pb::vma_entry Mapping(uint32_t status, uint64_t shmid, uint64_t offset) {
  pb::vma_entry vma = SampleMapping(0x600000, 0x602000, kVmaRegular | status,
                                    MAP_SHARED | MAP_ANONYMOUS, PROT_READ | PROT_WRITE);
  vma.set_shmid(shmid);
  vma.set_pgoff(offset);
  return vma;
}

TEST(SharedMemoryPlanTest, ItIsAsLargeAsItsMappingsReach) {
  DumpImages images = ImagesWith(Mapping(kVmaAnonShared, kId, 0x3000));
  images.shared_pages[kId] = {{.range = {0x1000, 0x2000}, .source = 0, .offset_bytes = 0}};
  const Result<RestorePlan> plan = BuildRestorePlan(images);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  const SharedMemoryPlan& memory = plan.value().shared_memory.at(kId);
  EXPECT_EQ(memory.size_bytes, 0x5000U);
  ASSERT_EQ(memory.pages.size(), 1U);
  const MappingPlan& mapping = plan.value().tasks.front().memory.mappings.back();
  EXPECT_EQ(mapping.kind, MappingPlan::Kind::kSharedMemory);
  EXPECT_EQ(mapping.shared_id, kId);
  EXPECT_EQ(mapping.flags, MAP_SHARED);
}

TEST(SharedMemoryPlanTest, AMemfdWithTheNameOfSharedMemoryIsThat) {
  DumpImages images = ImagesWith(Mapping(kVmaMemfd | kVmaFileShared, 5, 0));
  pb::memfd_inode_entry& inode = images.memfds.emplace_back();
  inode.set_name("/dev/zero");
  inode.set_inode_id(1);
  inode.set_shmid(kId);
  inode.set_size(0x8000);
  pb::file_entry& file = images.files.emplace_back();
  file.set_type(pb::MEMFD);
  file.set_id(5);
  file.mutable_memfd()->set_inode_id(1);
  const Result<RestorePlan> plan = BuildRestorePlan(images);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan.value().shared_memory.at(kId).size_bytes, 0x8000U);
}

TEST(SharedMemoryPlanTest, AnotherMemfdIsRefusedByName) {
  const Result<RestorePlan> plan =
      BuildRestorePlan(ImagesWith(Mapping(kVmaMemfd | kVmaFileShared, 5, 0)));
  ASSERT_TRUE(plan.has_error());
  EXPECT_EQ(plan.error().message,
            "mm-42.img: mapping 0x600000-0x602000: is a memfd, which is not supported");
}

TEST(SharedMemoryPlanTest, AnImpossibleSizeIsAnError) {
  DumpImages images = ImagesWith(Mapping(kVmaAnonShared, kId, 0));
  const uint64_t end = uint64_t{1} << 57;
  images.shared_pages[kId] = {{.range = {end - 0x1000, end}, .source = 0, .offset_bytes = 0}};
  const Result<RestorePlan> plan = BuildRestorePlan(images);
  ASSERT_TRUE(plan.has_error());
  EXPECT_EQ(plan.error().message,
            "pagemap-shmem-77.img: 144115188075855872 bytes of shared memory, at most "
            "72057594037927936 are allowed");
}

}  // namespace
}  // namespace ckpt
