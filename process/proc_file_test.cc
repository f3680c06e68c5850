#include "process/proc_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

namespace ckpt {
namespace {

Result<int> RefuseText(std::string_view text) {
  return MakeError(ErrorCode::kBadFormat, "line 1: found \"{}\"", text);
}

std::string MakeDirectory(const std::string& name) {
  std::string path = ::testing::TempDir() + "/" + name;
  mkdir(path.c_str(), 0700);
  return path;
}

TEST(ProcFileTest, AnErrorOfTheParserNamesTheFile) {
  const std::string path = MakeDirectory("proc_file") + "/x";
  ASSERT_TRUE(WriteWholeFile(path, AsBytes("?"), 0600).has_value());
  EXPECT_EQ(ReadProcFile(path, RefuseText).error().message, path + ": line 1: found \"?\"");
}

TEST(ProcFileTest, AProcessThatDoesNotExistIsNotFound) {
  EXPECT_EQ(ReadProcFile("/proc/4194304/stat", RefuseText).error().code, ErrorCode::kNotFound);
}

TEST(ProcFileTest, NumbersAreListedInTheirOrder) {
  const std::string path = MakeDirectory("numbers");
  for (const char* name : {"10", "9", "0"}) {
    ASSERT_TRUE(WriteWholeFile(path + "/" + name, {}, 0600).has_value());
  }
  EXPECT_EQ(ListNumbers(path).value(), (std::vector<int>{0, 9, 10}));
}

TEST(ProcFileTest, AnEntryThatIsNoNumberIsNamed) {
  const std::string path = MakeDirectory("no_numbers");
  ASSERT_TRUE(WriteWholeFile(path + "/1x", {}, 0600).has_value());
  EXPECT_EQ(ListNumbers(path).error().message, path + ": entry \"1x\" is no number");
}

}  // namespace
}  // namespace ckpt
