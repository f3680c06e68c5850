#include "imgtool/dump_lock.h"

#include <filesystem>

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

class DumpLockTest : public DirectoryFixture {};

TEST_F(DumpLockTest, OnlyOneHasIt) {
  for (const std::string& path : {directory_, Put("archive.tar", "x")}) {
    auto first = DumpLock::Take(path);
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(DumpLock::TryTake(path).value().has_value());
    EXPECT_EQ(DumpLock::Take(path).error().message, path + ": another process is rewriting it");
    { const DumpLock gone = std::move(first).value(); }
    EXPECT_TRUE(DumpLock::Take(path).has_value());
  }
}

TEST_F(DumpLockTest, WhatIsNotThereOrALinkCannotBeLocked) {
  EXPECT_EQ(DumpLock::Take(directory_ + "/none").error().code, ErrorCode::kNotFound);
  std::filesystem::create_symlink("x", directory_ + "/link");
  EXPECT_EQ(DumpLock::Take(directory_ + "/link").error().code, ErrorCode::kSystem);
}

}  // namespace
}  // namespace ckpt
