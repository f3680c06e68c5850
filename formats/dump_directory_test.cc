#include "formats/dump_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/file.h"
#include "formats/proto/task.pb.h"
#include "formats/sample_image.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

class DumpDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/dump.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string MakeDump(const std::string& name, const std::string& parent = "") {
    std::string path = root_ + "/" + name;
    fs::create_directories(path);
    if (!parent.empty()) fs::create_symlink(parent, path + "/parent");
    return path;
  }

  static void Put(const std::string& directory, const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(WriteWholeFile(directory + "/" + name, AsBytes(bytes), 0644).has_value());
  }

  std::string root_;
};

TEST_F(DumpDirectoryTest, ListsImagesAndTheOtherFiles) {
  std::string path = MakeDump("one", "../nowhere");
  for (const char* name : {"core-12.img", "ghost-file-ff.img", "dump.log", "core-x.img"}) {
    Put(path, name, "");
  }
  auto dump = DumpDirectory::Open(path);
  ASSERT_TRUE(dump.has_value());
  ASSERT_EQ(dump.value().images().size(), 2U);
  EXPECT_EQ(dump.value().images()[0].image, (ImageName{ImageType::kCore, 12}));
  EXPECT_EQ(dump.value().images()[1].image, (ImageName{ImageType::kGhostFile, 255}));
  EXPECT_EQ(dump.value().other_files(),
            (std::vector<std::string>{"core-x.img", "dump.log", "parent"}));
  EXPECT_TRUE(dump.value().Has(ImageType::kCore, 12));
  EXPECT_FALSE(dump.value().Has(ImageType::kCore, 13));
}

TEST_F(DumpDirectoryTest, SaysThatThereIsNoDump) {
  auto dump = DumpDirectory::Open(root_ + "/absent");
  ASSERT_TRUE(dump.has_error());
  EXPECT_EQ(dump.error().code, ErrorCode::kNotFound);
}

TEST_F(DumpDirectoryTest, ReadsByTypeAndIdAndTakesAMissingImageForAnEmptyOne) {
  std::string path = MakeDump("one");
  Put(path, "fs-5.img", SampleImage(ImageType::kFs));
  auto dump = DumpDirectory::Open(path);
  ASSERT_TRUE(dump.has_value());
  auto present = dump.value().ReadAllIfPresent<pb::fs_entry>(ImageType::kFs, 5);
  ASSERT_TRUE(present.has_value());
  EXPECT_EQ(present.value().size(), 2U);
  auto absent = dump.value().ReadAllIfPresent<pb::fs_entry>(ImageType::kFs, 6);
  ASSERT_TRUE(absent.has_value());
  EXPECT_TRUE(absent.value().empty());
  auto needed = dump.value().ReadSingle<pb::fs_entry>(ImageType::kFs, 6);
  ASSERT_TRUE(needed.has_error());
  EXPECT_EQ(needed.error().code, ErrorCode::kNotFound);
}

TEST_F(DumpDirectoryTest, FollowsRelativeParentLinks) {
  MakeDump("1");
  MakeDump("2", "../1/");
  std::string path = MakeDump("3", "../2");
  auto chain = OpenDumpChain(path);
  ASSERT_TRUE(chain.has_value()) << chain.error().message;
  ASSERT_EQ(chain.value().size(), 3U);
  EXPECT_EQ(chain.value()[0].path(), path);
  EXPECT_TRUE(fs::equivalent(chain.value()[2].path(), root_ + "/1"));
}

TEST_F(DumpDirectoryTest, RefusesLinksInACircle) {
  MakeDump("1", "../2");
  std::string path = MakeDump("2", "../1");
  auto chain = OpenDumpChain(path);
  ASSERT_TRUE(chain.has_error());
  EXPECT_EQ(chain.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(chain.error().message,
            fmt::format("{0}: parent links lead back to {0}/../1/../2", path));
}

TEST_F(DumpDirectoryTest, RefusesAnAbsoluteLink) {
  std::string path = MakeDump("1", root_);
  auto chain = OpenDumpChain(path);
  ASSERT_TRUE(chain.has_error());
  EXPECT_EQ(chain.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(chain.error().message,
            fmt::format("{}/parent: leads to {}, a relative path is allowed", path, root_));
}

TEST_F(DumpDirectoryTest, RefusesALinkThatLeadsNowhere) {
  auto chain = OpenDumpChain(MakeDump("1", "../absent"));
  ASSERT_TRUE(chain.has_error());
  EXPECT_EQ(chain.error().code, ErrorCode::kNotFound);
}

TEST_F(DumpDirectoryTest, RefusesMoreLayersThanItCanHoldOpen) {
  for (size_t i = 1; i <= kMaxDumpLayers; ++i) {
    MakeDump(std::to_string(i), fmt::format("../{}", i - 1));
  }
  MakeDump("0");
  EXPECT_TRUE(OpenDumpChain(root_ + "/" + std::to_string(kMaxDumpLayers - 1)).has_value());
  std::string path = root_ + "/" + std::to_string(kMaxDumpLayers);
  auto chain = OpenDumpChain(path);
  ASSERT_TRUE(chain.has_error());
  EXPECT_EQ(chain.error().message, path + ": more than 256 dumps behind each other");
}

}  // namespace
}  // namespace ckpt
