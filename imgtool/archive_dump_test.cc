#include "imgtool/archive_dump.h"

#include <sys/stat.h>

#include "formats/image_writer.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/sample_archive.h"
#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::string FsImage(uint32_t cwd_id) {
  ImageEncoder image(ImageType::kFs);
  EXPECT_TRUE(image.Append(SampleFs(cwd_id, 1)));
  return image.TakeBytes();
}

constexpr size_t kPagesBytes = (size_t{1} << 20) + 4096;

// Big enough not to be kept in memory, and not all alike.
std::string Pages() {
  std::string pages(kPagesBytes, '\0');
  for (size_t at = 0; at < pages.size(); at += 4096) {
    pages.replace(at, 4, std::to_string(1000 + at / 4096));
  }
  pages.resize(kPagesBytes);
  return pages;
}

Files SampleFiles() {
  return {{"config.dump", "{}"},
          {"checkpoint/fs-1.img", FsImage(1)},
          {"checkpoint/pages-1.img", Pages()},
          {"checkpoint/fs-2.img", FsImage(2)},
          {"checkpoint/tmpfs-dev-5.tar.gz.img", "tmpfs"},
          {"checkpoint/pages-2.img", Pages()},
          {"spec.dump", "{\"a\": 1}"}};
}

class ArchiveDumpTest : public DirectoryFixture, public testing::WithParamInterface<Compression> {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    WriteCompressed(path_, SampleTar(SampleFiles()), GetParam());
  }

  ArchiveDump Open() const {
    return ArchiveDump::Open(path_, {}, DumpTransaction::BeginFile(path_).value()).value();
  }
  // The unpacked archive after the changes.
  std::string Changed(const DumpChanges& changes) const {
    ArchiveDump dump = Open();
    const auto staged = dump.Stage(changes);
    EXPECT_TRUE(staged) << staged.error().message;
    EXPECT_TRUE(dump.transaction().CommitReplace());
    return ReadDecompressed(path_);
  }

  const std::string path_ = directory_ + "/dump.tar";
};

TEST_P(ArchiveDumpTest, ImagesAreReadAndWhatIsBesideThem) {
  const ArchiveDump dump = Open();
  EXPECT_EQ(dump.images().file_names(),
            (std::vector<std::string>{"../config.dump", "../spec.dump", "fs-1.img", "fs-2.img",
                                      "pages-1.img", "pages-2.img", "tmpfs-dev-5.tar.gz.img"}));
  EXPECT_EQ(dump.images().Read("fs-2.img").value().entries().size(), 1U);
  EXPECT_EQ(dump.images().ReadBytes("../spec.dump", 100).value(), "{\"a\": 1}");
  EXPECT_EQ(dump.images().ReadBytes("pages-1.img", SIZE_MAX).error().code, ErrorCode::kUnsupported);
}

TEST_P(ArchiveDumpTest, WithoutChangesEveryByteStays) {
  EXPECT_TRUE(Changed({}) == SampleTar(SampleFiles()));
  EXPECT_EQ(IdentifyCompression(AsBytes(ReadWholeFile(path_).value())), GetParam());
}

TEST_P(ArchiveDumpTest, OnlyTheChangedMemberDiffers) {
  Files files = SampleFiles();
  files[3].second = FsImage(77) + FsImage(78);
  files[6].second = "{\"a\": 2}";
  DumpChanges changes;
  changes.edited["fs-2.img"].bytes = files[3].second;
  changes.edited["../spec.dump"].bytes = files[6].second;
  EXPECT_TRUE(Changed(changes) == SampleTar(files));
}

TEST_P(ArchiveDumpTest, FilesAreAddedAtTheEndAndRenamed) {
  Files files = SampleFiles();
  files[4].first = "checkpoint/tmpfs-dev-9.tar.gz.img";
  files.emplace_back("checkpoint/ghost-file-1.img", "ghost and content");
  DumpChanges changes;
  changes.renames["tmpfs-dev-5.tar.gz.img"] = "tmpfs-dev-9.tar.gz.img";
  changes.new_files["ghost-file-1.img"] = {"ghost and ", Put("content", "content"), 0};
  EXPECT_TRUE(Changed(changes) == SampleTar(files));
}

TEST_P(ArchiveDumpTest, BigMembersCanBeReplacedToo) {
  Files files = SampleFiles();
  files[2].second = "x" + std::string(kPagesBytes - 1, '\0');
  DumpChanges changes;
  changes.edited["pages-1.img"] = {"x", "", kPagesBytes - 1};
  EXPECT_TRUE(Changed(changes) == SampleTar(files));
}

TEST_P(ArchiveDumpTest, WhatNeedsMoreRoomThanThereWasIsWrittenAllTheSame) {
  Files files = SampleFiles();
  std::string random;
  uint64_t state = 1;
  for (int i = 0; i < 100000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    random += static_cast<char>(state >> 56);
  }
  files[1].second = random;
  DumpChanges changes;
  changes.edited["fs-1.img"].bytes = random;
  EXPECT_TRUE(Changed(changes) == SampleTar(files));
}

TEST_P(ArchiveDumpTest, OwnerModeAndTimesStay) {
  const std::array<timespec, 2> times{timespec{1000, 5}, timespec{2000, 7}};
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times.data(), 0), 0);
  Changed({});
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  EXPECT_EQ(status.st_mtim.tv_sec, 2000);
  EXPECT_EQ(status.st_mtim.tv_nsec, 7);
}

TEST_P(ArchiveDumpTest, AnArchiveCutShortIsRefusedAndNothingIsLeft) {
  const std::string bytes = ReadWholeFile(path_).value();
  Put("dump.tar", bytes.substr(0, bytes.size() / 2));
  const auto dump = ArchiveDump::Open(path_, {}, DumpTransaction::BeginFile(path_).value());
  EXPECT_EQ(dump.error().code, ErrorCode::kBadFormat) << dump.error().message;
  EXPECT_EQ(ListDirectory(directory_).value(), std::vector<std::string>{"dump.tar"});
}

TEST_P(ArchiveDumpTest, ImagesMayLieAtTheTopButNotInBothPlaces) {
  WriteCompressed(path_, SampleTar({{"./fs-1.img", FsImage(1)}}), GetParam());
  EXPECT_EQ(Open().images().file_names(), std::vector<std::string>{"fs-1.img"});
  DumpChanges changes;
  changes.new_files["fs-2.img"].bytes = FsImage(2);
  EXPECT_TRUE(Changed(changes) ==
              SampleTar({{"./fs-1.img", FsImage(1)}, {"./fs-2.img", FsImage(2)}}));
  WriteCompressed(path_, SampleTar({{"fs-1.img", FsImage(1)}, {"checkpoint/fs-1.img", FsImage(1)}}),
                  GetParam());
  EXPECT_EQ(ArchiveDump::Open(path_, {}, std::nullopt).error().message,
            path_ + ": images both at the top and in checkpoint/");
  WriteCompressed(path_, SampleTar({{"a", "b"}}), GetParam());
  EXPECT_EQ(ArchiveDump::Open(path_, {}, std::nullopt).error().message,
            path_ + ": no image of a dump, neither at the top nor in checkpoint/");
}

TEST_P(ArchiveDumpTest, ImagesThatTakeTooMuchMemoryAreRefused) {
  EXPECT_EQ(ArchiveDump::Open(path_, {.max_image_bytes = 10}, std::nullopt).error().message,
            path_ + ": images of more than 10 bytes (--max-images raises this)");
}

INSTANTIATE_TEST_SUITE_P(Compressions, ArchiveDumpTest,
                         testing::Values(Compression::kNone, Compression::kGzip,
                                         Compression::kBzip2, Compression::kXz, Compression::kZstd),
                         [](const auto& kind) {
                           return kind.param == Compression::kNone
                                      ? std::string("none")
                                      : std::string(CompressionName(kind.param));
                         });

}  // namespace
}  // namespace ckpt
