#include "restorer/file_mounts.h"

#include <gtest/gtest.h>

#include <string>

namespace ckpt {
namespace {

MountTreePlan TreeWithTmp() {
  MountTreePlan tree;
  tree.mounts = {MountPlan{.mnt_id = 10}, MountPlan{.mnt_id = 11, .mountpoint = "tmp"}};
  tree.by_mnt_id = {{10, 0}, {11, 1}};
  tree.children = {{{0, "tmp"}, 1}};
  return tree;
}

std::string ErrorOf(const std::string& path, std::optional<uint32_t> mnt_id) {
  FilePlan file;
  file.place = "files.img entry id 1";
  file.path = path;
  file.mnt_id = mnt_id;
  Findings findings;
  CheckFileMounts({{1, file}}, TreeWithTmp(), findings);
  const Result<> result = findings.AsResult();
  return result.has_error() ? result.error().message : "";
}

TEST(FileMountsTest, AFileOnTheTopmostMountIsFound) {
  EXPECT_EQ(ErrorOf("/tmp/file", 11), "");
  EXPECT_EQ(ErrorOf("/etc/file", 10), "");
  EXPECT_EQ(ErrorOf("/anywhere", std::nullopt), "");
}

TEST(FileMountsTest, AFileUnderAMountIsRefused) {
  EXPECT_EQ(ErrorOf("/tmp/file", 10),
            "files.img entry id 1: /tmp/file: is on mount 10, but the path leads to mount 11");
}

TEST(FileMountsTest, AFileOnAMountOfNobodyIsRefused) {
  EXPECT_EQ(ErrorOf("/layer/bin/sh", 14),
            "files.img entry id 1: /layer/bin/sh: mount 14 is not one of the container's");
}

}  // namespace
}  // namespace ckpt
