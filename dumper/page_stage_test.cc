#include "dumper/page_stage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"
#include "process/child_for_test.h"

namespace ckpt {
namespace {

// Reads of this very process: 8 MB in which every page has its number.
class PageStageTest : public testing::Test {
 protected:
  static constexpr size_t kPages = 2048;

  PageStageTest()
      : area_(kPages * kPageSize),
        fd_(OpenFile(path_, O_RDWR | O_CREAT | O_TRUNC, 0600).value()),
        memory_(RemoteMemory::Open(getpid()).value()) {
    for (size_t i = 0; i < kPages; ++i) std::memcpy(&area_[i * kPageSize], &i, sizeof(i));
  }
  ~PageStageTest() override { unlink(path_.c_str()); }

  RemoteRange Pages(size_t first, size_t count) const {
    const auto start = reinterpret_cast<uint64_t>(area_.data()) + first * kPageSize;
    return {start, start + count * kPageSize};
  }
  Result<> ReadAll(PageStage& stage, const std::vector<RemoteRange>& ranges) const {
    return ReadAll(stage, ranges, fd_.get());
  }
  Result<> ReadAll(PageStage& stage, const std::vector<RemoteRange>& ranges, int fd) const {
    stage.StartReading({{&memory_, ranges}});
    if (!stage.FitsBuffers()) stage.AllowWriting({fd});
    return stage.FinishReading();
  }
  static Result<> Finish(PageStage& stage, int fd) {
    if (stage.FitsBuffers()) stage.AllowWriting({fd});
    return stage.Finish();
  }
  Result<> Finish(PageStage& stage) const { return Finish(stage, fd_.get()); }
  std::string Expected(const std::vector<RemoteRange>& ranges) const {
    std::string bytes;
    for (const RemoteRange& range : ranges) {
      bytes.append(reinterpret_cast<const char*>(range.start), range.size_bytes());
    }
    return bytes;
  }

  std::vector<std::byte> area_;
  const std::string path_ = testing::TempDir() + "/page_stage_test";
  UniqueFd fd_;
  RemoteMemory memory_;
};

TEST_F(PageStageTest, TheFileHasThePagesInOrderWhateverTheSizeOfTheBuffers) {
  std::vector<RemoteRange> ranges = {Pages(0, 1), Pages(2, 1000), Pages(1100, 3)};
  for (size_t i = 1200; i < 2000; i += 2) ranges.push_back(Pages(i, 1));
  for (const size_t buffer_bytes : {size_t{1}, size_t{3} << 20, size_t{16} << 20}) {
    ASSERT_EQ(ftruncate(fd_.get(), 0), 0);
    const PageBuffers buffers = PageBuffers::Create(buffer_bytes).value();
    uint64_t last = 0;
    PageStage stage(buffers, 2, [&](uint64_t written, uint64_t total) -> Result<> {
      EXPECT_LE(written, total);
      last = written;
      return success();
    });
    ASSERT_TRUE(ReadAll(stage, ranges).has_value());
    ASSERT_TRUE(Finish(stage).has_value());
    EXPECT_EQ(last, Expected(ranges).size());
    EXPECT_TRUE(ReadWholeFile(path_).value() == Expected(ranges));
  }
}

TEST_F(PageStageTest, SourcesShareBuffersAndEachHasItsFile) {
  const std::string other_path = path_ + ".other";
  const UniqueFd other = OpenFile(other_path, O_RDWR | O_CREAT | O_TRUNC, 0600).value();
  const std::vector<RemoteRange> first = {Pages(0, 3), Pages(5, 400)};
  const std::vector<RemoteRange> second = {Pages(500, 700)};
  for (const size_t buffer_bytes : {size_t{1}, size_t{16} << 20}) {
    const PageBuffers buffers = PageBuffers::Create(buffer_bytes).value();
    PageStage stage(buffers, 2, nullptr);
    stage.StartReading({{&memory_, first}, {&memory_, {}}, {&memory_, second}});
    stage.AllowWriting({fd_.get(), -1, other.get()});
    ASSERT_TRUE(stage.FinishReading().has_value());
    ASSERT_TRUE(stage.Finish().has_value());
    EXPECT_TRUE(ReadWholeFile(path_).value() == Expected(first));
    EXPECT_TRUE(ReadWholeFile(other_path).value() == Expected(second));
  }
  unlink(other_path.c_str());
}

// From another memory than it was to be read from, with other bytes.
TEST_F(PageStageTest, WhatWaitsIsReadOnceItIsReleased) {
  const std::string other_path = path_ + ".other";
  const UniqueFd other = OpenFile(other_path, O_RDWR | O_CREAT | O_TRUNC, 0600).value();
  const std::vector<RemoteRange> first = {Pages(0, 300)};
  const std::vector<RemoteRange> second = {Pages(500, 700)};
  for (const size_t buffer_bytes : {size_t{1}, size_t{2} << 20, size_t{16} << 20}) {
    const PageBuffers buffers = PageBuffers::Create(buffer_bytes).value();
    PageStage stage(buffers, 2, nullptr);
    stage.StartReading({{.memory = &memory_, .ranges = second, .waits = true},
                        {.memory = &memory_, .ranges = first}});
    if (!stage.FitsBuffers()) stage.AllowWriting({other.get(), fd_.get()});
    ASSERT_TRUE(stage.FinishReading().has_value());
    area_[500 * kPageSize] = std::byte{'x'};
    stage.Release();
    if (buffer_bytes == size_t{16} << 20) {
      ASSERT_TRUE(stage.FitsBuffers());
      ASSERT_TRUE(stage.FinishReading().has_value());
      EXPECT_EQ(stage.PartsBySource()[0].size(), 3U);
    }
    stage.AllowWriting({other.get(), fd_.get()});
    ASSERT_TRUE(stage.FinishReading().has_value());
    ASSERT_TRUE(stage.Finish().has_value());
    EXPECT_TRUE(ReadWholeFile(path_).value() == Expected(first));
    EXPECT_TRUE(ReadWholeFile(other_path).value() == Expected(second));
    area_[500 * kPageSize] = std::byte{'y'};
  }
  unlink(other_path.c_str());
}

TEST_F(PageStageTest, ASourceThatWaitsCanBeGivenAnotherMemory) {
  ChildForTest child([this](const auto& ready) {
    area_[3 * kPageSize] = std::byte{'c'};
    ready();
    return pause();
  });
  const RemoteMemory childs = RemoteMemory::Open(child.pid()).value();
  const PageBuffers buffers = PageBuffers::Create(1).value();
  PageStage stage(buffers, 2, nullptr);
  const std::vector<RemoteRange> ranges = {Pages(3, 1)};
  stage.StartReading({{.memory = &memory_, .ranges = ranges, .waits = true}});
  stage.ReadFrom(0, childs);
  stage.Release();
  ASSERT_TRUE(stage.FinishReading().has_value());
  ASSERT_TRUE(Finish(stage).has_value());
  EXPECT_EQ(ReadWholeFile(path_).value().front(), 'c');
}

TEST_F(PageStageTest, NothingIsWrittenBeforeItIsAllowed) {
  const PageBuffers buffers = PageBuffers::Create(kPages * kPageSize).value();
  PageStage stage(buffers, 2, nullptr);
  const std::vector<RemoteRange> ranges = {Pages(0, kPages)};
  stage.StartReading({{&memory_, ranges}});
  EXPECT_TRUE(stage.FitsBuffers());
  ASSERT_TRUE(stage.FinishReading().has_value());
  EXPECT_EQ(ReadWholeFile(path_).value(), "");
  ASSERT_TRUE(Finish(stage).has_value());
  EXPECT_TRUE(ReadWholeFile(path_).value() == Expected(ranges));
}

TEST_F(PageStageTest, AStageThatIsGivenUpEndsItsThreads) {
  const PageBuffers buffers = PageBuffers::Create(1).value();
  const std::vector<RemoteRange> ranges = {Pages(0, kPages)};
  PageStage stage(buffers, 2, nullptr);
  stage.StartReading({{&memory_, ranges}});  // which waits for writing, which is never allowed
  EXPECT_FALSE(stage.FitsBuffers());
}

TEST_F(PageStageTest, NoPagesAreAnEmptyFile) {
  const PageBuffers buffers = PageBuffers::Create(1).value();
  PageStage stage(buffers, 2, nullptr);
  ASSERT_TRUE(ReadAll(stage, {}).has_value());
  ASSERT_TRUE(Finish(stage).has_value());
  EXPECT_EQ(ReadWholeFile(path_).value(), "");
}

TEST_F(PageStageTest, MemoryThatIsGoneIsAnErrorWithItsAddress) {
  constexpr uint64_t address = kPageSize;  // below vm.mmap_min_addr: nothing is ever mapped there
  const PageBuffers buffers = PageBuffers::Create(1).value();
  PageStage stage(buffers, 2, nullptr);
  const std::vector<RemoteRange> ranges = {{address, address + kPageSize}};
  const auto read = ReadAll(stage, ranges);
  ASSERT_TRUE(read.has_error());
  EXPECT_NE(read.error().message.find(fmt::format("{:#x}", address)), std::string::npos);
  EXPECT_TRUE(Finish(stage).has_error());
}

TEST_F(PageStageTest, AFullDiskEndsTheReadingToo) {
  const UniqueFd full = OpenFile("/dev/full", O_WRONLY).value();
  const PageBuffers buffers = PageBuffers::Create(1).value();
  PageStage stage(buffers, 2, nullptr);
  const std::vector<RemoteRange> ranges = {Pages(0, kPages)};
  static_cast<void>(ReadAll(stage, ranges, full.get()));
  const auto finished = Finish(stage, full.get());
  ASSERT_TRUE(finished.has_error());
  EXPECT_NE(finished.error().message.find("ENOSPC"), std::string::npos);
}

TEST_F(PageStageTest, AnErrorOfTheProgressEndsTheWork) {
  const PageBuffers buffers = PageBuffers::Create(1).value();
  PageStage stage(buffers, 2, [](uint64_t, uint64_t) -> Result<> {
    return MakeError(ErrorCode::kSystem, "interrupted");
  });
  const std::vector<RemoteRange> ranges = {Pages(0, kPages)};
  static_cast<void>(ReadAll(stage, ranges));
  EXPECT_EQ(Finish(stage).error().message, "interrupted");
}

}  // namespace
}  // namespace ckpt
