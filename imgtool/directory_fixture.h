// For tests: an empty directory of the test's own, and files put into it.
#ifndef IMGTOOL_DIRECTORY_FIXTURE_H_
#define IMGTOOL_DIRECTORY_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"

namespace ckpt {

class DirectoryFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }

  std::string Put(const std::string& name, std::string_view bytes) {
    const std::string path = directory_ + "/" + name;
    EXPECT_TRUE(WriteWholeFile(path, AsBytes(bytes), 0644));
    return path;
  }

  const std::string directory_ =
      testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->test_suite_name();
};

}  // namespace ckpt

#endif  // IMGTOOL_DIRECTORY_FIXTURE_H_
