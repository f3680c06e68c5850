#include "process/linked_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

namespace ckpt {
namespace {

LinkedFile OfDescriptor(int fd) {
  return ReadLinkedFile(fmt::format("/proc/self/fd/{}", fd)).value();
}

TEST(LinkedFileTest, ARegularFileHasItsPathAndStat) {
  const std::string path = testing::TempDir() + "/linked_file_test (deleted)";
  ASSERT_TRUE(WriteWholeFile(path, AsBytes("12345"), 0640).has_value());
  const UniqueFd fd = OpenFile(path, O_RDONLY).value();
  const LinkedFile file = OfDescriptor(fd.get());
  EXPECT_TRUE(file.path.ends_with("/linked_file_test (deleted)"));
  EXPECT_EQ(file.mode, S_IFREG | 0640U);
  EXPECT_EQ(file.size_bytes, 5U);
  EXPECT_GT(file.mnt_id, 0);
  EXPECT_FALSE(IsDeleted(file)) << "it is only named so";
  unlink(path.c_str());
  EXPECT_TRUE(IsDeleted(OfDescriptor(fd.get())));
}

TEST(LinkedFileTest, WhatIsNoPathIsNeverDeleted) {
  std::array<int, 2> fds{};
  ASSERT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(fds[0]);
  const UniqueFd write_end(fds[1]);
  const LinkedFile file = OfDescriptor(read_end.get());
  EXPECT_EQ(file.path, fmt::format("pipe:[{}]", file.inode));
  EXPECT_FALSE(IsDeleted(file));
}

TEST(LinkedFileTest, AMissingLinkIsNamed) {
  EXPECT_EQ(ReadLinkedFile("/proc/self/fd/99999").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
