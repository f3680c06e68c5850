#include "imgtool/dump_input.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "imgtool/archive_rules.h"
#include "imgtool/input_fixture.h"
#include "imgtool/sample_archive.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;
namespace fs = std::filesystem;

constexpr Compression kCompressions[] = {Compression::kNone, Compression::kGzip,
                                         Compression::kBzip2, Compression::kXz, Compression::kZstd};

// fs_entry {cwd_id: 1, root_id: 2}
const std::string kFsImage = "\x19\x43\x56\x54\x12\x39\x40\x51\x04\0\0\0\x08\x01\x10\x02"s;

std::string End() { return std::string(2 * kTarBlockBytes, '\0'); }

class DumpInputTest : public InputFixture {
 protected:
  void SetUp() override {
    InputFixture::SetUp();
    temporary_ = directory_ + "/temporary";
    fs::create_directory(temporary_);
    setenv("TMPDIR", temporary_.c_str(), 1);
  }
  void TearDown() override {
    EXPECT_TRUE(fs::is_empty(temporary_)) << "something was left there";
    unsetenv("TMPDIR");
  }

  std::string PutPodman(Compression compression = Compression::kNone) {
    const std::string path = directory_ + "/no telling name";
    WriteCompressed(path,
                    SampleTar({{"spec.dump", "{}"},
                               {"checkpoint/fs-1.img", kFsImage},
                               {"checkpoint/pages-1.img", std::string(10000, 'x')},
                               {"checkpoint/dump.log", "text"},
                               {"rootfs-diff.tar", "tar"}}),
                    compression);
    return path;
  }

  // What opening an archive of these bytes ends with.
  std::string ErrorOf(const std::string& tar) {
    const auto input = Open(Put("a.tar", tar));
    if (!input.has_error()) return "fine";
    EXPECT_EQ(input.error().code, ErrorCode::kUnsupported) << input.error().message;
    std::string message = ShownText(input.error().message);
    EXPECT_TRUE(message.starts_with(directory_ + "/a.tar: ")) << message;
    return message.substr(directory_.size() + std::string("/a.tar: ").size());
  }
  std::string ErrorOfMember(char type, std::string_view name, std::string_view target = "") {
    return ErrorOf(SampleTarMember("fs-1.img", kFsImage) + SampleTarMember(name, "", type, target) +
                   End());
  }

  std::string temporary_;
};

TEST_F(DumpInputTest, ADirectoryIsItself) {
  Put("fs-1.img", kFsImage);
  const DumpInput input = Open(directory_).value();
  EXPECT_EQ(input.path(), directory_);
  EXPECT_EQ(input.name(), directory_);
  EXPECT_FALSE(input.is_image());
  EXPECT_EQ(input.OpenChain().value().size(), 1u);
}

TEST_F(DumpInputTest, AnArchiveIsKnownByItsBytesInEachCompression) {
  for (const Compression compression : kCompressions) {
    const auto input = Open(PutPodman(compression));
    ASSERT_TRUE(input) << CompressionName(compression) << ": " << input.error().message;
    EXPECT_EQ(ReadWholeFile(input.value().path() + "/fs-1.img").value(), kFsImage);
  }
}

TEST_F(DumpInputTest, WhatIsUnpackedIsPrivateAndGoesWithTheInput) {
  std::string path;
  {
    const DumpInput input = Open(PutPodman()).value();
    path = fs::path(input.path()).parent_path();
    EXPECT_EQ(fs::path(path).parent_path(), temporary_);
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(DumpInputTest, OnlyWhatIsNeededIsUnpackedButAllHasItsSize) {
  const DumpInput input = Open(PutPodman()).value();
  const std::string pages = input.path() + "/pages-1.img";
  EXPECT_EQ(ReadWholeFile(pages).value(), std::string(10000, '\0'));
  struct stat status = {};
  ASSERT_EQ(stat(pages.c_str(), &status), 0);
  EXPECT_EQ(status.st_blocks, 0);
  EXPECT_EQ(fs::file_size(input.path() + "/dump.log"), 4u);
}

TEST_F(DumpInputTest, AVerbMayNeedAll) {
  const DumpInput input = Open(PutPodman(Compression::kZstd), NeedsAllFiles).value();
  EXPECT_EQ(ReadWholeFile(input.path() + "/pages-1.img").value(), std::string(10000, 'x'));
  EXPECT_EQ(ReadWholeFile(input.path() + "/dump.log").value(), "text");
}

TEST_F(DumpInputTest, ImagesMayBeAtTheTop) {
  const DumpInput input =
      Open(Put("a.tar", SampleTar({{"./fs-1.img", kFsImage}, {"./dump.log", ""}}))).value();
  EXPECT_EQ(ReadWholeFile(input.path() + "/fs-1.img").value(), kFsImage);
}

TEST_F(DumpInputTest, MessagesNameTheArchiveAndWhatIsInIt) {
  const std::string archive = PutPodman();
  const DumpInput input = Open(archive).value();
  EXPECT_EQ(input.name(), archive);
  EXPECT_EQ(ShownText(input.path() + "/fs-1.img: x"), archive + "/checkpoint/fs-1.img: x");
}

TEST_F(DumpInputTest, TheStandardInputMayBeAnArchive) {
  stdin_ = ReadWholeFile(PutPodman(Compression::kGzip)).value();
  const DumpInput input = Open("-").value();
  EXPECT_EQ(ReadWholeFile(input.path() + "/fs-1.img").value(), kFsImage);
  EXPECT_EQ(input.ShownPath(), "standard input/checkpoint");
}

TEST_F(DumpInputTest, TheStandardInputMayBeAnImage) {
  stdin_ = kFsImage;
  const DumpInput input = Open("-").value();
  EXPECT_TRUE(input.is_image());
  EXPECT_EQ(ReadWholeFile(input.path()).value(), kFsImage);
  EXPECT_EQ(input.ShownPath(), "standard input");
}

TEST_F(DumpInputTest, AnImageIsNoDump) {
  const std::string path = Put("fs-1.img", kFsImage);
  EXPECT_TRUE(Open(path).value().is_image());
  const auto refused = Open(path, NeedsAllFiles, OneImage::kRefused);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(refused.error().message, path + ": neither a dump directory nor an archive");
}

TEST_F(DumpInputTest, AnImageThatIsAnArchiveIsAnImage) {
  const std::string tar = SampleTar({{"file", "of a tmpfs"}});
  EXPECT_TRUE(Open(Put("tmpfs-dev-5.tar.gz.img", tar)).value().is_image());
}

TEST_F(DumpInputTest, WhatIsNotThereIsSaidToBe) {
  const auto input = Open(directory_ + "/none");
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, ErrorCode::kNotFound);
}

TEST_F(DumpInputTest, AParentInsideTheArchiveIsFollowed) {
  const std::string tar = SampleTarMember("checkpoint/fs-1.img", kFsImage) +
                          SampleTarMember("checkpoint/parent", "", '2', "../pre-checkpoint") +
                          SampleTarMember("pre-checkpoint/fs-1.img", kFsImage) + End();
  const DumpInput input = Open(Put("a.tar", tar)).value();
  const auto chain = input.OpenChain();
  ASSERT_TRUE(chain) << chain.error().message;
  ASSERT_EQ(chain.value().size(), 2u);
  EXPECT_TRUE(chain.value()[1].Has(ImageType::kFs, 1));
}

TEST_F(DumpInputTest, AHardLinkIsTheFile) {
  EXPECT_EQ(ErrorOfMember('1', "fs-2.img", "fs-1.img"), "fine");
}

TEST_F(DumpInputTest, LinksToWhatIsNotUnpackedAreRefused) {
  const std::string start = SampleTarMember("fs-1.img", kFsImage) + SampleTarMember("else", "x");
  for (const char type : {'1', '2'}) {
    EXPECT_EQ(ErrorOf(start + SampleTarMember("fs-2.img", "", type, "else") + End()),
              "member fs-2.img: a link to else, which is not needed itself");
  }
}

TEST_F(DumpInputTest, WhatLeadsOutOfTheArchiveIsRefused) {
  EXPECT_EQ(ErrorOfMember('0', "/tmp/x"), "member /tmp/x: a path that leads out of the archive");
  EXPECT_EQ(ErrorOfMember('0', "a/../../x"),
            "member a/../../x: a path that leads out of the archive");
  EXPECT_EQ(ErrorOfMember('2', "parent", "/tmp"),
            "member parent: a link that leads out of the archive");
  EXPECT_EQ(ErrorOfMember('2', "parent", "../x"),
            "member parent: a link that leads out of the archive");
  EXPECT_EQ(ErrorOfMember('1', "fs-2.img", "../x"),
            "member fs-2.img: a link that leads out of the archive");
  EXPECT_EQ(ErrorOfMember('2', "d/parent", "link/../../x"),
            "member d/parent: a link with .. behind a name, which may lead out");
}

TEST_F(DumpInputTest, NoFileIsWrittenThroughALink) {
  EXPECT_EQ(
      ErrorOf(SampleTarMember("l", "", '2', "d") + SampleTarMember("l/fs-1.img", kFsImage) + End()),
      "member l: a file that is there already");
  EXPECT_EQ(ErrorOf(SampleTarMember("f", "x") + SampleTarMember("f/fs-1.img", kFsImage) + End()),
            "member f/fs-1.img: below what is no folder");
}

TEST_F(DumpInputTest, DevicesAreRefused) {
  for (const char type : {'3', '4', '6'}) {
    EXPECT_EQ(ErrorOfMember(type, "dev"),
              "member dev: a device or fifo, which has no place in a dump");
  }
}

TEST_F(DumpInputTest, AFileComesOnce) {
  EXPECT_EQ(ErrorOfMember('0', "./fs-1.img"), "member ./fs-1.img: a file that is there already");
}

TEST_F(DumpInputTest, FoldersAreNotDeep) {
  std::string path;
  for (int i = 0; i < 20; ++i) path += "a/";
  EXPECT_EQ(ErrorOfMember('0', path + "x"), "member " + path + "x: more than 16 folders deep");
}

TEST_F(DumpInputTest, ImagesAreInOnePlace) {
  EXPECT_EQ(ErrorOf(SampleTar({{"fs-1.img", kFsImage}, {"checkpoint/fs-1.img", kFsImage}})),
            "images both at the top and in checkpoint/");
  const auto none = Open(Put("a.tar", SampleTar({{"other/fs-1.img", kFsImage}})));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(none.error().message,
            directory_ + "/a.tar: no image of a dump, neither at the top nor in checkpoint/");
}

TEST_F(DumpInputTest, LimitsHoldUntilTheyAreRaised) {
  const std::string tar = SampleTar({{"fs-1.img", kFsImage}, {"fs-2.img", kFsImage}});
  options_ = {"--max-members", "1"};
  EXPECT_EQ(ErrorOf(tar), "more than 1 members (--max-members raises this)");
  options_ = {"--max-unpacked", "1000"};
  EXPECT_EQ(ErrorOf(tar), "more than 1000 bytes unpacked (--max-unpacked raises this)");
  options_ = {"--max-members", "2", "--max-unpacked", "100000"};
  EXPECT_EQ(ErrorOf(tar), "fine");
}

// A member of GNU tar that is one hole of 1 TiB.
std::string Hole() {
  std::string block = SampleTarMember("pages-1.img", "", 'S');
  constexpr size_t kSparseMap = 386;
  constexpr size_t kRealSize = 483;
  block.replace(kSparseMap, 12, "20000000000\0"s);
  block.replace(kSparseMap + 12, 12, "00000000000\0"s);
  SetTarText(block, {257, 8}, "ustar  ");
  SetTarNumber(block, {kRealSize, 12}, uint64_t{1} << 40);
  SetTarChecksum(block);
  return block;
}

TEST_F(DumpInputTest, AHoleCountsAsWhatItUnpacksTo) {
  EXPECT_EQ(ErrorOf(SampleTarMember("fs-1.img", kFsImage) + Hole() + End()),
            "more than 274877906944 bytes unpacked (--max-unpacked raises this)");
}

TEST_F(DumpInputTest, ABombIsStopped) {
  const std::string path = directory_ + "/bomb";
  const std::string tar = SampleTar(
      {{"fs-1.img", kFsImage}, {"pages-1.img", std::string(kRatioFreeBytes + (1 << 22), '\0')}});
  WriteCompressed(path, tar, Compression::kZstd);
  const auto refused = Open(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message.find("more than 1000 times as many (--max-ratio raises this)"),
            std::string::npos)
      << refused.error().message;
  options_ = {"--max-ratio", "1000000"};
  EXPECT_TRUE(Open(path));
}

TEST_F(DumpInputTest, AnArchiveThatIsCutShortIsBroken) {
  for (const Compression compression : kCompressions) {
    const std::string whole = ReadWholeFile(PutPodman(compression)).value();
    const size_t step = compression == Compression::kNone ? 256 : 1;
    for (size_t size = kCompressionMagicBytes; size < whole.size(); size += step) {
      stdin_ = whole.substr(0, size);
      const auto input = Open("-", NeedsAllFiles, OneImage::kRefused);
      // Zeros that follow the last member are no loss.
      if (input && compression == Compression::kNone && size > whole.rfind("tar")) continue;
      ASSERT_FALSE(input) << CompressionName(compression) << " at " << size << " of "
                          << whole.size();
      EXPECT_EQ(input.error().code, ErrorCode::kBadFormat) << input.error().message;
    }
  }
}

TEST_F(DumpInputTest, NoFlippedBitDoesHarm) {
  const std::string whole = ReadWholeFile(PutPodman(Compression::kGzip)).value();
  for (size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    stdin_ = whole;
    stdin_[bit / 8] = static_cast<char>(stdin_[bit / 8] ^ (1 << (bit % 8)));
    const auto input = Open("-");
    if (input.has_error()) {
      EXPECT_TRUE(input.error().code == ErrorCode::kBadFormat ||
                  input.error().code == ErrorCode::kUnsupported)
          << input.error().message;
    }
  }
}

}  // namespace
}  // namespace ckpt
