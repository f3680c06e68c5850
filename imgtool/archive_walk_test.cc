#include "imgtool/archive_walk.h"

#include <gmock/gmock.h>

#include "imgtool/directory_fixture.h"
#include "imgtool/sample_archive.h"

namespace ckpt {
namespace {

class ArchiveWalkTest : public DirectoryFixture {
 protected:
  // The error that walking the archive ends with, or "fine".
  std::string Walk(const std::string& tar, const ArchiveLimits& limits = {}) {
    const UniqueFd fd = OpenFile(Put("a.tar", tar), O_RDONLY).value();
    ArchiveWalk walk = ArchiveWalk::Open(fd.get(), "a.tar", limits).value();
    while (true) {
      const auto member = walk.Next();
      if (member.has_error()) return member.error().message;
      if (!member.value()) return "fine";
    }
  }
  std::string WalkLink(char type, std::string_view name, std::string_view target) {
    return Walk(SampleTarMember(name, "", type, target));
  }
};

TEST_F(ArchiveWalkTest, PathsAreSeenFromTheTop) {
  const UniqueFd fd =
      OpenFile(Put("a.tar", SampleTarMember("./", "", '5') + SampleTarMember("./a/./b", "x")),
               O_RDONLY)
          .value();
  ArchiveWalk walk = ArchiveWalk::Open(fd.get(), "a.tar", {}).value();
  EXPECT_EQ(walk.Next().value()->path, "");
  EXPECT_EQ(walk.Next().value()->path, "a/b");
  EXPECT_FALSE(walk.Next().value().has_value());
}

TEST_F(ArchiveWalkTest, WhatLeadsOutOfTheArchiveIsRefused) {
  EXPECT_EQ(Walk(SampleTarMember("/etc/passwd", "x")),
            "a.tar: member /etc/passwd: a path that leads out of the archive");
  EXPECT_EQ(Walk(SampleTarMember("a/../../b", "x")),
            "a.tar: member a/../../b: a path that leads out of the archive");
  EXPECT_EQ(WalkLink('2', "d/l", "/etc"),
            "a.tar: member d/l: a link that leads out of the archive");
  EXPECT_EQ(WalkLink('2', "d/l", "../../x"),
            "a.tar: member d/l: a link that leads out of the archive");
  EXPECT_EQ(WalkLink('1', "d/l", "../x"),
            "a.tar: member d/l: a link that leads out of the archive");
  EXPECT_EQ(WalkLink('2', "d/l", "../x"), "fine");
  EXPECT_EQ(WalkLink('1', "d/l", "x"), "fine");
}

TEST_F(ArchiveWalkTest, ALinkThatTurnsBackMayLeadOut) {
  EXPECT_EQ(WalkLink('2', "a/b/l", "m/../../x"),
            "a.tar: member a/b/l: a link with .. behind a name, which may lead out");
  EXPECT_EQ(WalkLink('2', "a/b/l", "../../x/y"), "fine");
}

TEST_F(ArchiveWalkTest, WhatIsNoFileHasNoPlaceThere) {
  for (const char type : {'3', '4', '6'}) {
    EXPECT_EQ(Walk(SampleTarMember("dev", "", type)),
              "a.tar: member dev: a device or fifo, which has no place in a dump");
  }
}

TEST_F(ArchiveWalkTest, AFileComesOnce) {
  EXPECT_EQ(Walk(SampleTarMember("a", "1") + SampleTarMember("./a", "2")),
            "a.tar: member ./a: a file that is there already");
}

TEST_F(ArchiveWalkTest, LimitsHold) {
  const std::string tar = SampleTarMember("a", "1") + SampleTarMember("b", "2");
  EXPECT_EQ(Walk(tar, {.max_members = 1}),
            "a.tar: more than 1 members (--max-members raises this)");
  EXPECT_EQ(Walk(tar, {.max_unpacked_bytes = 2047}),
            "a.tar: more than 2047 bytes unpacked (--max-unpacked raises this)");
  EXPECT_EQ(Walk(tar, {.max_unpacked_bytes = 2048, .max_members = 2}), "fine");
}

TEST_F(ArchiveWalkTest, TheRatioOfWhatIsLargeHasALimit) {
  const std::string path = directory_ + "/bomb";
  WriteCompressed(path, SampleTarMember("a", std::string(kRatioFreeBytes + 1, '\0')),
                  Compression::kZstd);
  const std::string bomb = ReadWholeFile(path).value();
  EXPECT_THAT(Walk(bomb), testing::MatchesRegex(
                              "a.tar: [0-9]+ bytes unpack to [0-9]+, more than 1000 times as many "
                              "\\(--max-ratio raises this\\)"));
  EXPECT_EQ(Walk(bomb, {.max_ratio = 1000000}), "fine");
}

TEST_F(ArchiveWalkTest, ASmallFileThatUnpacksToMuchIsStopped) {
  const std::string path = directory_ + "/bomb";
  WriteCompressed(path, SampleTarMember("a", std::string(size_t{32} << 20, '\0')),
                  Compression::kZstd);
  EXPECT_EQ(Walk(ReadWholeFile(path).value(), {.max_unpacked_bytes = 1 << 20}),
            "a.tar: more than 1048576 bytes unpacked (--max-unpacked raises this)");
}

}  // namespace
}  // namespace ckpt
