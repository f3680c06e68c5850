#include "restorer/tmpfs_content.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/file.h"

namespace ckpt {
namespace {

constexpr time_t kTime = 1'000'000'000;

class TmpfsContentTest : public testing::Test {
 protected:
  TmpfsContentTest() {
    std::string pattern = testing::TempDir() + "/contentXXXXXX";
    folder_ = mkdtemp(pattern.data());
    target_ = folder_ + "/target";
    mkdir(target_.c_str(), 0700);
    directory_ = OpenFile(target_, O_PATH | O_DIRECTORY).value();
    archive_ = folder_ + "/content.tar.gz";
    writer_ = archive_write_new();
    archive_write_set_format_gnutar(writer_);
    archive_write_add_filter_gzip(writer_);
    archive_write_open_filename(writer_, archive_.c_str());
  }
  ~TmpfsContentTest() override { std::filesystem::remove_all(folder_); }

  // A member with `text` as its content, or as the target of a symbolic link.
  void Add(const std::string& path, mode_t mode, const std::string& text = "") {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_mode(entry, mode);
    archive_entry_set_uid(entry, getuid());
    archive_entry_set_gid(entry, getgid());
    archive_entry_set_mtime(entry, kTime, 0);
    if (S_ISLNK(mode)) archive_entry_set_symlink(entry, text.c_str());
    if (S_ISREG(mode)) archive_entry_set_size(entry, static_cast<int64_t>(text.size()));
    archive_write_header(writer_, entry);
    if (S_ISREG(mode)) archive_write_data(writer_, text.data(), text.size());
    archive_entry_free(entry);
  }

  Result<> Extract() {
    archive_write_free(writer_);
    return ExtractContent(archive_, directory_.get());
  }

  struct stat StatOf(const std::string& name) const {
    struct stat found {};
    EXPECT_EQ(lstat((target_ + "/" + name).c_str(), &found), 0) << name;
    return found;
  }

  std::string folder_, target_, archive_;
  UniqueFd directory_;
  archive* writer_ = nullptr;
};

TEST_F(TmpfsContentTest, FilesComeBackWithModesAndTimes) {
  Add("./", S_IFDIR | 01777);
  Add("./d/", S_IFDIR | 0751);
  Add("./d/file", S_IFREG | 0640, "content");
  Add("./link", S_IFLNK | 0777, "d/file");
  Add("./fifo", S_IFIFO | 0622);
  const std::string before = std::filesystem::current_path();
  const Result<> extracted = Extract();
  ASSERT_TRUE(extracted.has_value()) << extracted.error().message;
  EXPECT_EQ(std::filesystem::current_path(), before);
  EXPECT_EQ(ReadWholeFile(target_ + "/d/file").value(), "content");
  EXPECT_EQ(ReadLink(target_ + "/link").value(), "d/file");
  EXPECT_EQ(StatOf("").st_mode, mode_t{S_IFDIR | 01777});
  EXPECT_EQ(StatOf("d").st_mode, mode_t{S_IFDIR | 0751});
  EXPECT_EQ(StatOf("d").st_mtime, kTime);
  EXPECT_EQ(StatOf("d/file").st_mode, mode_t{S_IFREG | 0640});
  EXPECT_EQ(StatOf("fifo").st_mode, mode_t{S_IFIFO | 0622});
}

TEST_F(TmpfsContentTest, NoMemberLeadsOut) {
  Add("../escaped", S_IFREG | 0644, "content");
  EXPECT_TRUE(Extract().has_error());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/escaped"));
}

TEST_F(TmpfsContentTest, NoMemberIsWrittenThroughALink) {
  Add("out", S_IFLNK | 0777, folder_);
  Add("out/escaped", S_IFREG | 0644, "content");
  EXPECT_TRUE(Extract().has_error());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/escaped"));
}

TEST_F(TmpfsContentTest, WhatIsNoArchiveIsNamed) {
  archive_write_free(writer_);
  ASSERT_TRUE(WriteWholeFile(archive_, AsBytes("no archive"), 0644).has_value());
  const Result<> extracted = ExtractContent(archive_, directory_.get());
  ASSERT_TRUE(extracted.has_error());
  EXPECT_EQ(extracted.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(extracted.error().message, archive_ + ": Unrecognized archive format");
}

}  // namespace
}  // namespace ckpt
