#include "dumper/descriptor_tables.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "process/child_for_test.h"
#include "process/fdinfo.h"

namespace ckpt {
namespace {

constexpr int kChanged = 300;
constexpr int kClosed = 301;
constexpr int kOpened = 302;
constexpr int kFirstOfMany = 400;
constexpr int kMany = 200;  // more than one thread reads

std::string ChangedPath() { return std::filesystem::canonical(testing::TempDir()) / "changed"; }

// Opens /dev/null as 300, 301 and 400 to 599; told so, has a file of 5 bytes, read to the third, as
// 300, and 302 in place of 301.
class ChangingChild {
 public:
  ChangingChild() : pipes_(MakePipes()), child_([this](const auto& ready) { return Run(ready); }) {}

  pid_t pid() const { return child_.pid(); }
  void Change() {
    char byte = 0;
    ASSERT_EQ(write(pipes_[1], &byte, 1), 1);
    ASSERT_EQ(read(pipes_[2], &byte, 1), 1);
  }

 private:
  static std::array<int, 4> MakePipes() {
    std::array<int, 4> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(ends.data() + 2, O_CLOEXEC), 0);
    return ends;
  }

  int Run(const std::function<void()>& ready) const {
    const int null = open("/dev/null", O_RDWR);
    dup2(null, kChanged);
    dup2(null, kClosed);
    for (int i = 0; i < kMany; ++i) dup2(null, kFirstOfMany + i);
    ready();
    char byte = 0;
    if (read(pipes_[0], &byte, 1) != 1) return 1;
    const int file = open(ChangedPath().c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
    if (write(file, "12345", 5) != 5 || lseek(file, 3, SEEK_SET) != 3) return 1;
    dup3(file, kChanged, O_CLOEXEC);
    dup2(null, kOpened);
    close(kClosed);
    if (write(pipes_[3], &byte, 1) != 1) return 1;
    return pause();
  }

  std::array<int, 4> pipes_;
  ChildForTest child_;
};

std::vector<int> NumbersRead(DescriptorTable& table) {
  std::vector<int> numbers;
  const Result<> all = table.ReadAll([&](OpenDescription opened) -> Result<> {
    numbers.push_back(opened.number);
    return success();
  });
  EXPECT_TRUE(all.has_value()) << all.error().message;
  return numbers;
}

TEST(DescriptorTablesTest, WhatWasPreparedTellsOfWhatIsOpenNow) {
  ChangingChild child;
  DescriptorTables tables;
  DescriptorTable& prepared = *tables.Prepare(child.pid()).value();
  EXPECT_GE(prepared.prepared_files(), 4U);
  EXPECT_EQ(prepared.Read(kChanged).value().file.path, "/dev/null");
  child.Change();
  DescriptorTable& table = *tables.Of(child.pid()).value();
  EXPECT_EQ(&table, &prepared);
  const OpenDescription changed = table.Read(kChanged).value();
  EXPECT_EQ(changed.file.path, ChangedPath());
  EXPECT_EQ(changed.info.position_bytes, 3U);
  EXPECT_EQ(changed.info.flags & (O_APPEND | O_CLOEXEC), unsigned{O_APPEND | O_CLOEXEC});
  EXPECT_EQ(table.Read(kOpened).value().file.path, "/dev/null");
  const std::vector<int> numbers = NumbersRead(table);
  EXPECT_EQ(std::ranges::count(numbers, kOpened), 1);
  EXPECT_EQ(std::ranges::count(numbers, kClosed), 0);
  EXPECT_EQ(numbers, ListFds(child.pid()).value());
}

TEST(DescriptorTablesTest, AProcessThatWasNotPreparedIsOpenedThen) {
  ChangingChild child;
  DescriptorTables tables;
  DescriptorTable& table = *tables.Of(child.pid()).value();
  EXPECT_EQ(table.prepared_files(), 0U);
  EXPECT_EQ(table.Read(kChanged).value().file.path, "/dev/null");
  EXPECT_EQ(NumbersRead(table), ListFds(child.pid()).value());
}

TEST(DescriptorTablesTest, NoMoreIsKeptOpenThanTold) {
  ChangingChild child;
  DescriptorTable table = DescriptorTable::Open(child.pid()).value();
  ASSERT_TRUE(table.Prepare(4).has_value());
  EXPECT_EQ(table.prepared_files(), 4U);
  EXPECT_EQ(NumbersRead(table), ListFds(child.pid()).value());
}

}  // namespace
}  // namespace ckpt
