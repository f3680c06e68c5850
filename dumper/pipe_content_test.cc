#include "dumper/pipe_content.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "dumper/descriptor_holder.h"

namespace ckpt {
namespace {

class PipeContentTest : public testing::Test {
 protected:
  PipeContentTest() {
    std::string name = testing::TempDir() + "pipe_content.XXXXXX";
    directory_ = mkdtemp(name.data());
    EXPECT_EQ(mkfifo(Path().c_str(), 0600), 0);
  }
  ~PipeContentTest() override { std::filesystem::remove_all(directory_); }

  std::string Path() const { return directory_ + "/fifo"; }
  void OpenAt(int number, int flags) const {
    MoveTo(open(Path().c_str(), flags | O_NONBLOCK), number);
  }

  std::string directory_;
};

TEST_F(PipeContentTest, AFifoHasARegularEntryForItsPathAndItsContent) {
  DescriptorHolder holder([&] {
    OpenAt(300, O_RDWR);
    dup2(300, 301);
    OpenAt(302, O_WRONLY);
    static_cast<void>(!write(300, "left here", 9));
  });
  for (int round = 0; round < 2; ++round) {
    holder.files = {};
    const Descriptors descriptors = holder.Collect().value();
    const pb::file_entry& file = holder.EntryOf(descriptors, 300);
    EXPECT_EQ(file.type(), pb::FIFO);
    EXPECT_EQ(holder.EntryOf(descriptors, 301).id(), file.id());
    EXPECT_NE(holder.EntryOf(descriptors, 302).id(), file.id());
    EXPECT_EQ(holder.EntryOf(descriptors, 302).fifo().pipe_id(), file.fifo().pipe_id());
    const pb::file_entry& path = holder.files.entries()[file.fifo().regf_id() - 1];
    EXPECT_EQ(path.type(), pb::REG);
    EXPECT_EQ(path.reg().name(), Path());
    EXPECT_EQ(path.reg().flags() & uint32_t{O_ACCMODE | O_NONBLOCK}, uint32_t{O_RDWR | O_NONBLOCK});
    EXPECT_EQ(path.reg().mode(), uint32_t{S_IFIFO | 0600});
    ASSERT_EQ(descriptors.fifos.size(), 1U);
    EXPECT_EQ(descriptors.fifos[0].entry.pipe_id(), file.fifo().pipe_id());
    EXPECT_EQ(descriptors.fifos[0].bytes, "left here");
    EXPECT_EQ(descriptors.fifos[0].entry.size(), 65536U);
  }
  EXPECT_TRUE(holder.refusals.findings().empty()) << holder.refusals.findings()[0];
}

TEST_F(PipeContentTest, AReaderWithoutAWriterIsDumped) {
  DescriptorHolder holder([&] { OpenAt(300, O_RDONLY); });
  EXPECT_EQ(holder.Collect().value().fifos.size(), 1U);
  EXPECT_TRUE(holder.refusals.findings().empty()) << holder.refusals.findings()[0];
}

TEST_F(PipeContentTest, AFifoThatAnotherProcessHasOpenIsRefused) {
  const UniqueFd reader = OpenFile(Path(), O_RDONLY | O_NONBLOCK).value();
  const UniqueFd writer = OpenFile(Path(), O_WRONLY | O_NONBLOCK).value();
  for (const int flags : {O_RDONLY, O_WRONLY}) {
    DescriptorHolder holder([&] {
      close(reader.get());
      close(writer.get());
      OpenAt(300, flags);
    });
    static_cast<void>(holder.Collect().value());
    ASSERT_EQ(holder.refusals.findings().size(), 1U);
    EXPECT_EQ(holder.refusals.findings()[0],
              fmt::format("fd 300 is {}: its other end is in another process", Path()));
  }
}

TEST_F(PipeContentTest, ContentThatNoDescriptorCanReadIsRefused) {
  DescriptorHolder holder([&] {
    OpenAt(301, O_RDWR);
    OpenAt(300, O_WRONLY);
    static_cast<void>(!write(300, "left here", 9));
    close(301);
  });
  static_cast<void>(holder.Collect().value());
  ASSERT_EQ(holder.refusals.findings().size(), 1U);
  EXPECT_EQ(
      holder.refusals.findings()[0],
      fmt::format("fd 300 is {}: it holds 9 bytes and nobody has it open to read them", Path()));
}

TEST_F(PipeContentTest, ADeletedFifoIsAGhost) {
  DescriptorHolder holder([&] {
    OpenAt(300, O_RDWR);
    unlink(Path().c_str());
  });
  EXPECT_EQ(holder.Collect().value().fifos.size(), 1U);
  EXPECT_TRUE(holder.refusals.findings().empty()) << holder.refusals.findings()[0];
  EXPECT_EQ(holder.files.ghosts().files().size(), 1U);
}

}  // namespace
}  // namespace ckpt
