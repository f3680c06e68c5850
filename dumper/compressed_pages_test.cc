#include "dumper/compressed_pages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <numeric>

#include "formats/pages_image.h"

namespace ckpt {
namespace {

// Memory of this process, staged as another's would be.
class CompressedPagesTest : public testing::Test {
 protected:
  static constexpr size_t kPages = 900;

  void SetUp() override {
    area_.resize((kPages + 1) * kPageSize);
    for (size_t i = 0; i < area_.size(); ++i)
      area_[i] = static_cast<char>(i / kPageSize * 31 + i % 97);
  }

  RemoteRange Range(size_t first, size_t count) const {
    const auto start = reinterpret_cast<uint64_t>(area_.data()) + first * kPageSize;
    return {start, start + count * kPageSize};
  }

  std::string Content(size_t first, size_t count) const {
    return area_.substr(first * kPageSize, count * kPageSize);
  }

  static std::string Path(const std::string& name) { return testing::TempDir() + "/" + name; }

  static UniqueFd Create(const std::string& name) {
    return OpenFile(Path(name), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
  }

  static std::string Decompressed(const std::string& name) {
    const PagesImage image = PagesImage::OpenCompressed(Path(name)).value();
    std::string pages(image.size_bytes(), '?');
    EXPECT_TRUE(image.Read(0, std::as_writable_bytes(std::span(pages))));
    return pages;
  }

  std::string area_;
};

TEST_F(CompressedPagesTest, WhatSeveralProcessesHaveInTheBuffersIsCompressed) {
  const RemoteMemory memory = RemoteMemory::Open(getpid()).value();
  const PageBuffers buffers = PageBuffers::Create((kPages + 1) * kPageSize).value();
  PageStage stage(buffers, 2, {});
  const std::vector<RemoteRange> one = {Range(0, 100), Range(200, 3)};
  const std::vector<RemoteRange> other = {Range(150, 600)};
  stage.StartReading({{.memory = &memory, .ranges = one},
                      {.memory = &memory, .ranges = {}},
                      {.memory = &memory, .ranges = other}});
  ASSERT_TRUE(stage.FitsBuffers());
  ASSERT_TRUE(stage.FinishReading());
  const UniqueFd files[] = {Create("0"), Create("1"), Create("2")};
  const int fds[] = {files[0].get(), files[1].get(), files[2].get()};
  const auto done = CompressBuffers(stage, fds, {});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(Decompressed("0"), Content(0, 100) + Content(200, 3));
  EXPECT_EQ(Decompressed("1"), "");
  EXPECT_EQ(Decompressed("2"), Content(150, 600));
}

TEST_F(CompressedPagesTest, WhatWasSpooledIsCompressed) {
  const std::string directory = Path("spools");
  std::filesystem::create_directories(directory);
  std::vector<UniqueFd> spools;
  spools.push_back(CreateSpool(directory).value());
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  ASSERT_TRUE(WriteAll(spools[0].get(), AsBytes(area_), "spool"));
  const UniqueFd file = Create("3");
  const int fds[] = {file.get()};
  ASSERT_TRUE(CompressSpools(spools, fds, {}));
  EXPECT_EQ(Decompressed("3"), area_);
}

}  // namespace
}  // namespace ckpt
