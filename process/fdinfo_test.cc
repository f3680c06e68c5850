#include "process/fdinfo.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/file.h"

namespace ckpt {
namespace {

TEST(FdInfoTest, TheCommonLinesAreFieldsAndTheOthersText) {
  const auto info = ParseFdInfo(
      "pos:\t9223372036854775807\n"
      "flags:\t02104002\n"
      "mnt_id:\t29\n"
      "ino:\t1234\n"
      "lock:\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF\n"
      "tfd:        5 events:       1d data: ffffffffffffffff pos:0 ino:61af sdev:7\n");
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(info.value().position_bytes, 9223372036854775807U);
  EXPECT_EQ(info.value().flags, 02104002U);
  EXPECT_EQ(info.value().mnt_id, 29);
  EXPECT_EQ(info.value().inode, 1234U);
  EXPECT_EQ(info.value().details,
            (std::vector<std::string>{
                "lock:\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF",
                "tfd:        5 events:       1d data: ffffffffffffffff pos:0 ino:61af sdev:7"}));
}

TEST(FdInfoTest, OldKernelsHaveNoInodeAndNoMount) {
  const FdInfo info = ParseFdInfo("pos:\t0\nflags:\t0100000\n").value();
  EXPECT_EQ(info.mnt_id, -1);
  EXPECT_FALSE(info.inode);
}

TEST(FdInfoTest, WhatDoesNotParseIsNamed) {
  EXPECT_EQ(ParseFdInfo("pos:\t0\nflags:\t0800\n").error().message,
            "line 2: cannot read \"flags:\t0800\"");
  EXPECT_EQ(ParseFdInfo("pos:\t0\n").error().message, "no line \"flags:\"");
  EXPECT_EQ(ParseFdInfo("flags:\t0\n").error().message, "no line \"pos:\"");
  EXPECT_EQ(ParseFdInfo("pos:\t0\nflags:\t0\nmnt_id:\t4294967296\n").error().message,
            "line 3: cannot read \"mnt_id:\t4294967296\"");
}

TEST(FdInfoTest, AFileHasItsPositionFlagsAndInode) {
  const std::string path = ::testing::TempDir() + "fdinfo";
  const UniqueFd fd = OpenFile(path, O_RDWR | O_CREAT | O_APPEND, 0600).value();
  ASSERT_TRUE(WriteAll(fd.get(), AsBytes("12345"), path).has_value());
  struct stat status {};
  ASSERT_EQ(fstat(fd.get(), &status), 0);
  const auto info = ReadFdInfo(getpid(), fd.get());
  unlink(path.c_str());
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(info.value().position_bytes, 5U);
  EXPECT_EQ(info.value().flags & (O_ACCMODE | O_APPEND | O_CLOEXEC), O_RDWR | O_APPEND | O_CLOEXEC);
  EXPECT_GT(info.value().mnt_id, 0);
  EXPECT_EQ(info.value().inode.value_or(status.st_ino), status.st_ino);
  EXPECT_TRUE(info.value().details.empty());
}

TEST(FdInfoTest, AnEventfdHasItsCountAmongTheDetails) {
  const UniqueFd fd(eventfd(7, EFD_CLOEXEC));
  const auto info = ReadFdInfo(getpid(), fd.get());
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(std::ranges::count(info.value().details, "eventfd-count:                7"), 1);
}

TEST(FdInfoTest, OpenDescriptorsAreListedAscending) {
  const UniqueFd high(fcntl(0, F_DUPFD_CLOEXEC, 100));
  const UniqueFd low(fcntl(0, F_DUPFD_CLOEXEC, 9));
  const auto fds = ListFds(getpid());
  ASSERT_TRUE(fds.has_value()) << fds.error().message;
  EXPECT_TRUE(std::ranges::is_sorted(fds.value()));
  EXPECT_EQ(std::ranges::count(fds.value(), low.get()), 1);
  EXPECT_EQ(fds.value().back(), high.get());
}

}  // namespace
}  // namespace ckpt
