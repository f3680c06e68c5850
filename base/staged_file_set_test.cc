#include "base/staged_file_set.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace ckpt {
namespace {

class StagedFileSetTest : public testing::Test {
 protected:
  StagedFileSetTest() { std::filesystem::create_directories(directory_); }
  ~StagedFileSetTest() override { std::filesystem::remove_all(directory_); }
  std::vector<std::string> Names() const { return ListDirectory(directory_).value(); }

  const std::string directory_ = testing::TempDir() + "/staged_file_set_test";
};

TEST_F(StagedFileSetTest, AllAppearAtTheCommit) {
  StagedFileSet set(directory_);
  ASSERT_TRUE(set.Add("a", AsBytes("1"), 0644).has_value());
  ASSERT_TRUE(WriteAll(set.Create("b", 0600).value(), AsBytes("2"), "b").has_value());
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/a"));
  ASSERT_TRUE(set.Commit().has_value());
  EXPECT_EQ(Names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(ReadWholeFile(directory_ + "/b").value(), "2");
}

TEST_F(StagedFileSetTest, AHundredFilesAppearTogetherToo) {
  StagedFileSet set(directory_);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(set.Add(fmt::format("core-{}", i), AsBytes("x"), 0644).has_value());
  }
  ASSERT_TRUE(set.Commit().has_value());
  EXPECT_EQ(Names().size(), 100U);
}

TEST_F(StagedFileSetTest, WithoutACommitNothingIsLeft) {
  {
    StagedFileSet set(directory_);
    ASSERT_TRUE(set.Add("a", AsBytes("1"), 0644).has_value());
  }
  EXPECT_EQ(Names(), std::vector<std::string>{});
}

TEST_F(StagedFileSetTest, AFailedRenameTakesTheEarlierOnesBack) {
  std::filesystem::create_directories(directory_ + "/b/in the way");
  {
    StagedFileSet set(directory_);
    ASSERT_TRUE(set.Add("a", AsBytes("1"), 0644).has_value());
    ASSERT_TRUE(set.Add("b", AsBytes("2"), 0644).has_value());
    EXPECT_TRUE(set.Commit().has_error());
  }
  EXPECT_EQ(Names(), std::vector<std::string>{"b"});
}

}  // namespace
}  // namespace ckpt
