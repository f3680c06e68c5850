#include "restorer/fifo_maker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace ckpt {
namespace {

class FifoMakerTest : public testing::Test {
 protected:
  FifoMakerTest() {
    std::string name = testing::TempDir() + "fifo_maker.XXXXXX";
    directory_ = mkdtemp(name.data());
    EXPECT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  }
  ~FifoMakerTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  FilePlan End(uint32_t id, int flags, const std::string& name = "fifo") const {
    FilePlan file;
    file.kind = FilePlan::Kind::kFifo;
    file.id = id;
    file.place = fmt::format("files.img entry id {}", id);
    file.flags = flags;
    file.path = Path(name);
    file.pipe_id = 77;
    return file;
  }
  static Result<std::map<uint32_t, UniqueFd>> Make(const PipePlan& fifo,
                                                   const std::vector<FilePlan>& ends) {
    std::vector<const FilePlan*> pointers;
    for (const FilePlan& end : ends) pointers.push_back(&end);
    return MakeFifo(fifo, pointers, PathOpener::Create("").value());
  }

  std::string directory_;
};

std::string ReadSome(const UniqueFd& fd) {
  std::array<char, 64> buffer{};
  const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
  return got < 0 ? fmt::format("errno {}", errno) : std::string(buffer.data(), buffer.data() + got);
}

TEST_F(FifoMakerTest, TheFifoHoldsWhatItHeld) {
  const auto ends = Make({.pipe_id = 77, .capacity_bytes = 8192, .content = "hello"},
                         {End(1, O_RDONLY | O_NONBLOCK), End(2, O_WRONLY)});
  ASSERT_TRUE(ends.has_value()) << ends.error().message;
  const UniqueFd& reader = ends.value().at(1);
  EXPECT_EQ(fcntl(reader.get(), F_GETPIPE_SZ), 8192);
  EXPECT_EQ(fcntl(ends.value().at(2).get(), F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_WRONLY);
  EXPECT_EQ(ReadSome(reader), "hello");
  EXPECT_EQ(ReadSome(reader), fmt::format("errno {}", EAGAIN));
  ASSERT_EQ(write(ends.value().at(2).get(), "x", 1), 1);
  EXPECT_EQ(ReadSome(reader), "x");
}

TEST_F(FifoMakerTest, AReaderAloneDoesNotSeeAWriterGo) {
  const auto ends = Make({.pipe_id = 77}, {End(1, O_RDONLY)});
  ASSERT_TRUE(ends.has_value()) << ends.error().message;
  pollfd query{ends.value().at(1).get(), POLLIN, 0};
  EXPECT_EQ(poll(&query, 1, 0), 0);
  EXPECT_EQ(fcntl(query.fd, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(FifoMakerTest, AWriterAloneIsThereWithoutAReader) {
  const auto ends = Make({.pipe_id = 77}, {End(1, O_WRONLY)});
  ASSERT_TRUE(ends.has_value()) << ends.error().message;
  pollfd query{ends.value().at(1).get(), 0, 0};
  EXPECT_EQ(poll(&query, 1, 0), 1);
  EXPECT_EQ(query.revents, POLLERR);
}

TEST_F(FifoMakerTest, AFifoThatHoldsSomethingIsRefused) {
  const UniqueFd other = OpenFile(Path("fifo"), O_RDWR).value();
  ASSERT_EQ(write(other.get(), "mine", 4), 4);
  EXPECT_EQ(Make({.pipe_id = 77, .content = "hello"}, {End(1, O_RDWR)}).error().message,
            fmt::format("files.img entry id 1: {}: holds 4 bytes already: another process has it "
                        "open",
                        Path("fifo")));
}

TEST_F(FifoMakerTest, WhatIsNoFifoAnyMoreIsRefused) {
  ASSERT_TRUE(WriteWholeFile(Path("file"), AsBytes("text"), 0644).has_value());
  EXPECT_EQ(Make({.pipe_id = 77}, {End(1, O_RDWR, "file")}).error().message,
            fmt::format("files.img entry id 1: {}: is not a FIFO (mode 0100644)", Path("file")));
}

TEST_F(FifoMakerTest, TwoPathsOfOneFifoMustLeadToOne) {
  ASSERT_EQ(link(Path("fifo").c_str(), Path("same").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("other").c_str(), 0600), 0);
  EXPECT_TRUE(Make({.pipe_id = 77}, {End(1, O_RDWR), End(2, O_RDWR, "same")}).has_value());
  EXPECT_EQ(Make({.pipe_id = 77}, {End(1, O_RDWR), End(2, O_RDWR, "other")}).error().message,
            fmt::format("files.img entry id 2: {} and {} were one FIFO and are two now",
                        Path("fifo"), Path("other")));
}

}  // namespace
}  // namespace ckpt
