#include "restorer/shared_memory_maker.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"

namespace ckpt {
namespace {

constexpr uint64_t kSizeBytes = 8 * kPageSize;

std::string PagesPath() { return ::testing::TempDir() + "/pages"; }

std::vector<SharedPages> PagesImages(const std::string& content) {
  EXPECT_TRUE(WriteWholeFile(PagesPath(), AsBytes(content), 0600).has_value());
  return {std::make_shared<const PagesImage>(PagesImage::OpenPlain(PagesPath()).value())};
}

SharedMemoryPlan PlanWithOnePage() {
  return {.id = 7,
          .size_bytes = kSizeBytes,
          .pages = {{.range = {2 * kPageSize, 3 * kPageSize}, .source = 0, .offset_bytes = 16}}};
}

TEST(SharedMemoryMakerTest, ItHasItsContentItsNameAndItsHoles) {
  const std::vector<SharedPages> images =
      PagesImages(std::string(16, '-') + std::string(kPageSize, 'x'));
  const Result<UniqueFd> made = MakeSharedMemory(PlanWithOnePage(), images);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  struct stat found {};
  ASSERT_EQ(fstat(made.value().get(), &found), 0);
  EXPECT_EQ(static_cast<uint64_t>(found.st_size), kSizeBytes);
  EXPECT_EQ(found.st_blocks * 512, static_cast<long>(kPageSize));
  void* mapped = mmap(nullptr, kSizeBytes, PROT_READ, MAP_SHARED, made.value().get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const char* bytes = static_cast<const char*>(mapped);
  EXPECT_EQ(bytes[2 * kPageSize], 'x');
  EXPECT_EQ(bytes[3 * kPageSize - 1], 'x');
  EXPECT_EQ(bytes[3 * kPageSize], '\0');
  munmap(mapped, kSizeBytes);
  EXPECT_EQ(ReadLink(fmt::format("/proc/self/fd/{}", made.value().get())).value(),
            "/dev/zero (deleted)");
}

TEST(SharedMemoryMakerTest, AShortPagesImageIsAnError) {
  const std::vector<SharedPages> images = PagesImages(std::string(20, '-'));
  const Result<UniqueFd> made = MakeSharedMemory(PlanWithOnePage(), images);
  ASSERT_TRUE(made.has_error());
  EXPECT_EQ(made.error().message,
            "shared memory 7: " + PagesPath() + ": ends at byte 20, 4092 bytes before it should");
}

}  // namespace
}  // namespace ckpt
