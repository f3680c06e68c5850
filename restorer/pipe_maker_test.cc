#include "restorer/pipe_maker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

namespace ckpt {
namespace {

FilePlan End(uint32_t id, int flags) {
  FilePlan file;
  file.kind = FilePlan::Kind::kPipe;
  file.id = id;
  file.flags = flags;
  file.pipe_id = 77;
  return file;
}

Result<std::map<uint32_t, UniqueFd>> Make(const PipePlan& pipe, const std::vector<FilePlan>& ends) {
  std::vector<const FilePlan*> pointers;
  pointers.reserve(ends.size());
  for (const FilePlan& end : ends) pointers.push_back(&end);
  return MakePipe(pipe, pointers);
}

std::string ReadSome(int fd) {
  std::array<char, 64> buffer{};
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  return got < 0 ? fmt::format("errno {}", errno) : std::string(buffer.data(), buffer.data() + got);
}

TEST(PipeMakerTest, ThePipeHoldsWhatItHeld) {
  const auto ends = Make({.pipe_id = 77, .capacity_bytes = 8192, .content = "hello"},
                         {End(1, O_RDONLY | O_NONBLOCK), End(2, O_WRONLY)});
  ASSERT_TRUE(ends.has_value()) << ends.error().message;
  EXPECT_EQ(fcntl(ends.value().at(1).get(), F_GETPIPE_SZ), 8192);
  EXPECT_EQ(fcntl(ends.value().at(2).get(), F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_WRONLY);
  EXPECT_EQ(ReadSome(ends.value().at(1).get()), "hello");
  EXPECT_EQ(ReadSome(ends.value().at(1).get()), fmt::format("errno {}", EAGAIN));
}

TEST(PipeMakerTest, WithoutAWriterTheReaderSeesTheEndAfterTheContent) {
  const auto ends = Make({.pipe_id = 77, .content = "rest"}, {End(1, O_RDONLY)});
  ASSERT_TRUE(ends.has_value()) << ends.error().message;
  EXPECT_EQ(ReadSome(ends.value().at(1).get()), "rest");
  EXPECT_EQ(ReadSome(ends.value().at(1).get()), "");
}

TEST(PipeMakerTest, WithoutAReaderThePipeIsBroken) {
  signal(SIGPIPE, SIG_IGN);
  const auto ends = Make({.pipe_id = 77, .content = "lost"}, {End(1, O_WRONLY)});
  ASSERT_TRUE(ends.has_value()) << ends.error().message;
  EXPECT_EQ(write(ends.value().at(1).get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST(PipeMakerTest, DescriptionsOfOneEndAreSeparateAndOfOnePipe) {
  const auto ends = Make({.pipe_id = 77}, {End(1, O_RDONLY), End(2, O_RDONLY | O_NONBLOCK),
                                           End(3, O_WRONLY), End(4, O_RDWR)});
  ASSERT_TRUE(ends.has_value()) << ends.error().message;
  EXPECT_EQ(fcntl(ends.value().at(1).get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(ends.value().at(2).get(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(fcntl(ends.value().at(4).get(), F_GETFL) & O_ACCMODE, O_RDWR);
  ASSERT_EQ(write(ends.value().at(4).get(), "x", 1), 1);
  EXPECT_EQ(ReadSome(ends.value().at(2).get()), "x");
}

TEST(PipeMakerTest, ContentThatDoesNotFitIsAnError) {
  const auto ends = Make({.pipe_id = 77, .capacity_bytes = 4096, .content = std::string(5000, 'x')},
                         {End(1, O_RDONLY), End(2, O_WRONLY)});
  ASSERT_TRUE(ends.has_error());
  EXPECT_NE(ends.error().message.find("pipe 77 with a capacity of 4096 bytes"), std::string::npos)
      << ends.error().message;
}

}  // namespace
}  // namespace ckpt
