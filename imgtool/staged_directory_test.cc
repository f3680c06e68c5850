#include "imgtool/staged_directory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class StagedDirectoryTest : public testing::Test {
 protected:
  StagedDirectoryTest() {
    fs::remove_all(parent_);
    fs::create_directories(parent_);
  }
  ~StagedDirectoryTest() override { fs::remove_all(parent_); }

  StagedDirectory StageWithFile(const std::string& name) {
    StagedDirectory staged = StagedDirectory::Create(parent_ + "/dump").value();
    EXPECT_TRUE(WriteWholeFile(staged.staging_path() + "/" + name, AsBytes(name), 0600));
    return staged;
  }
  Names Siblings() const { return ListDirectory(parent_).value(); }
  Names Content() const { return ListDirectory(parent_ + "/dump").value(); }

  const std::string parent_ = testing::TempDir() + "/staged_directory_test";
};

TEST_F(StagedDirectoryTest, WhatIsNotCommittedDisappears) {
  {
    const StagedDirectory staged = StageWithFile("a");
    EXPECT_EQ(Siblings().size(), 1U);
    EXPECT_TRUE(Siblings()[0].starts_with(".dump.imgtool-"));
  }
  EXPECT_EQ(Siblings(), Names{});
}

TEST_F(StagedDirectoryTest, ANewDirectoryAppearsWhole) {
  StagedDirectory staged = StageWithFile("a");
  ASSERT_TRUE(staged.CommitNew().has_value());
  EXPECT_EQ(Siblings(), Names{"dump"});
  EXPECT_EQ(Content(), Names{"a"});
}

TEST_F(StagedDirectoryTest, WhatAppearedMeanwhileIsNotReplaced) {
  {
    StagedDirectory staged = StageWithFile("a");
    fs::create_directory(parent_ + "/dump");
    const auto committed = staged.CommitNew();
    ASSERT_TRUE(committed.has_error());
    EXPECT_NE(committed.error().message.find("RENAME_NOREPLACE): File exists (EEXIST)"),
              std::string::npos);
  }
  EXPECT_EQ(Siblings(), Names{"dump"});
  EXPECT_EQ(Content(), Names{});
}

TEST_F(StagedDirectoryTest, AnExchangeLeavesTheNewAndRemovesTheOld) {
  fs::create_directories(parent_ + "/dump/sub");
  StagedDirectory staged = StageWithFile("new");
  ASSERT_TRUE(staged.CommitExchange().has_value());
  EXPECT_EQ(Siblings(), Names{"dump"});
  EXPECT_EQ(Content(), Names{"new"});
}

TEST_F(StagedDirectoryTest, AnExchangeWithNothingFailsAndLeavesNothing) {
  {
    StagedDirectory staged = StageWithFile("new");
    const auto committed = staged.CommitExchange();
    ASSERT_TRUE(committed.has_error());
    EXPECT_EQ(committed.error().code, ErrorCode::kNotFound);
  }
  EXPECT_EQ(Siblings(), Names{});
}

TEST_F(StagedDirectoryTest, AParentThatIsNotThereIsNamed) {
  const auto staged = StagedDirectory::Create(parent_ + "/none/dump");
  ASSERT_TRUE(staged.has_error());
  EXPECT_EQ(staged.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(staged.error().message, "mkdtemp(\"" + parent_ +
                                        "/none/.dump.imgtool-XXXXXX\"): No such file or "
                                        "directory (ENOENT)");
}

}  // namespace
}  // namespace ckpt
