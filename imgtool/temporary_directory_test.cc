#include "imgtool/temporary_directory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>
#include <sstream>
#include <string>

#include "imgtool/directory_fixture.h"
#include "imgtool/shown_text_stream.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

class TemporaryDirectoryTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    setenv("TMPDIR", directory_.c_str(), 1);
  }
  void TearDown() override { unsetenv("TMPDIR"); }
};

TEST_F(TemporaryDirectoryTest, IsPrivateAndGoesWithAllThatIsInIt) {
  std::optional<TemporaryDirectory> temporary = TemporaryDirectory::Create("a").value();
  EXPECT_EQ(fs::path(temporary->path()).parent_path(), directory_);
  EXPECT_EQ(fs::status(temporary->path()).permissions(), fs::perms::owner_all);
  fs::create_directories(temporary->path() + "/some/folder");
  temporary.reset();
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(TemporaryDirectoryTest, MovesWithoutBeingRemoved) {
  TemporaryDirectory first = TemporaryDirectory::Create("a").value();
  const std::string path = first.path();
  {
    const TemporaryDirectory second(std::move(first));
    EXPECT_EQ(second.path(), path);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(TemporaryDirectoryTest, IsShownAsWhatItStandsForEvenOnceItIsGone) {
  std::string path;
  {
    TemporaryDirectory temporary = TemporaryDirectory::Create("a.tar").value();
    temporary.ShowFileAs("image", "standard input");
    path = temporary.path();
  }
  EXPECT_EQ(ShownText("open(\"" + path + "/x\"), " + path + "/y"), "open(\"a.tar/x\"), a.tar/y");
  EXPECT_EQ(ShownText(path + "/image: broken"), "standard input: broken");
  EXPECT_EQ(ShownText("nothing of it"), "nothing of it");
}

TEST_F(TemporaryDirectoryTest, IsNotToBeSeenInMessages) {
  const TemporaryDirectory temporary = TemporaryDirectory::Create("a.tar").value();
  std::ostringstream sink;
  ShownTextBuffer buffer(sink);
  std::ostream messages(&buffer);
  messages << "in " << temporary.path() + "/x" << ':' << 1 << '\n';
  EXPECT_EQ(sink.str(), "in a.tar/x:1\n");
}

TEST_F(TemporaryDirectoryTest, NeedsAPlace) {
  setenv("TMPDIR", (directory_ + "/none").c_str(), 1);
  const auto temporary = TemporaryDirectory::Create("a");
  ASSERT_FALSE(temporary);
  EXPECT_EQ(temporary.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
