#include "imgtool/descriptor_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <istream>
#include <ostream>
#include <string>

#include "base/file.h"

namespace ckpt {
namespace {

class DescriptorBufferTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> fds;
    ASSERT_EQ(pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reader_ = UniqueFd(fds[0]);
    writer_ = UniqueFd(fds[1]);
  }

  // What the pipe holds now.
  std::string Read() {
    std::string text(100000, '\0');
    const ssize_t size = read(reader_.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }

  UniqueFd reader_;
  UniqueFd writer_;
};

TEST_F(DescriptorBufferTest, HoldsSmallWritesUntilFlushed) {
  DescriptorBuffer buffer(writer_.get());
  std::ostream out(&buffer);
  out << "one ";
  EXPECT_EQ(Read(), "");
  out << 2 << std::flush;
  EXPECT_EQ(Read(), "one 2");
  EXPECT_EQ(buffer.error_number(), 0);
}

TEST_F(DescriptorBufferTest, FlushesWhenItIsDestroyed) {
  {
    DescriptorBuffer buffer(writer_.get());
    std::ostream(&buffer) << "last";
  }
  EXPECT_EQ(Read(), "last");
}

TEST_F(DescriptorBufferTest, KeepsTheOrderOfSmallAndLargeWrites) {
  const std::string large(40000, 'x');
  DescriptorBuffer buffer(writer_.get());
  std::ostream out(&buffer);
  out << "a";
  out.write(large.data(), 40000);
  out << "b" << std::flush;
  EXPECT_EQ(Read(), "a" + large + "b");
}

TEST_F(DescriptorBufferTest, ReadsLinesAndEnds) {
  ASSERT_TRUE(WriteAll(writer_.get(), AsBytes("one\ntwo\n"), "pipe"));
  writer_.Reset();
  DescriptorBuffer buffer(reader_.get());
  std::istream in(&buffer);
  std::string line;
  EXPECT_TRUE(std::getline(in, line));
  EXPECT_EQ(line, "one");
  EXPECT_TRUE(std::getline(in, line));
  EXPECT_EQ(line, "two");
  EXPECT_FALSE(std::getline(in, line));
}

TEST_F(DescriptorBufferTest, RemembersWhyAWriteFailed) {
  Result<UniqueFd> full = OpenFile("/dev/full", O_WRONLY);
  ASSERT_TRUE(full) << full.error().message;
  DescriptorBuffer buffer(full.value().get());
  std::ostream out(&buffer);
  out << "text" << std::flush;
  EXPECT_FALSE(out);
  EXPECT_EQ(buffer.error_number(), ENOSPC);
}

}  // namespace
}  // namespace ckpt
