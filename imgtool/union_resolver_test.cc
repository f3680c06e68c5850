#include "imgtool/union_resolver.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "imgtool/branch_map_text.h"
#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// A union of two branches, rw over base, and what becomes of files of base.
class UnionResolverTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    for (const char* name : {"/rw/lib", "/base/lib", "/rootfs/lib"}) {
      fs::create_directories(directory_ + name);
    }
    UseType("aufs");
  }
  void UseType(const std::string& type) {
    map_ = ParseBranchMap(fmt::format("branch-map 1\nunion web\ntype {}\nbranch rw /d/ID at {}/rw\n"
                                      "branch ro+wh /d/base at {}/base\n",
                                      type, directory_, directory_),
                          "m")
               .value();
  }

  Result<ResolvedFile> Resolve(const std::string& raw, const std::string& rest,
                               std::optional<FileFacts> recorded = std::nullopt,
                               bool with_root = false) {
    CKPT_TRY(UnionView view, with_root ? UnionView::AtRoot(directory_ + "/rootfs")
                                       : UnionView::AtMountpoints(false));
    CKPT_TRY(const UnionResolver resolver, UnionResolver::Open(map_, std::move(view)));
    return resolver.Resolve({.mount = &map_.unions[0],
                             .raw = {0, 1, raw, false},
                             .rest = rest,
                             .name = rest,
                             .recorded = recorded});
  }
  ResolvedFile ResolveBase(const std::string& rest) { return Resolve(rest, rest).value(); }

  BranchMap map_;
};

TEST_F(UnionResolverTest, AFileThatNothingCoversIsPresent) {
  Put("base/lib/c.so", "12345");
  const ResolvedFile file = ResolveBase("/lib/c.so");
  EXPECT_EQ(file.fate, FileFate::kPresent);
  EXPECT_EQ(file.why, "");
  EXPECT_EQ(file.shown->size_bytes, 5U);
  EXPECT_EQ(file.shown_path, directory_ + "/base/lib/c.so");
}

TEST_F(UnionResolverTest, ACopyOfTheSameContentIsAsGood) {
  Put("base/lib/c.so", "12345");
  Put("rw/lib/c.so", "12345");
  const ResolvedFile file = ResolveBase("/lib/c.so");
  EXPECT_EQ(file.fate, FileFate::kPresent);
  EXPECT_EQ(file.why, "copied to branch 0, content unchanged");
  EXPECT_EQ(file.shown_path, directory_ + "/rw/lib/c.so");
}

TEST_F(UnionResolverTest, AnotherContentSizeOrModeShadows) {
  Put("base/lib/c.so", "12345");
  Put("rw/lib/c.so", "12X45");
  EXPECT_EQ(ResolveBase("/lib/c.so").fate, FileFate::kShadowed);
  EXPECT_EQ(ResolveBase("/lib/c.so").why,
            "branch 0 has another file of that name, not the same "
            "content");
  Put("rw/lib/c.so", "1234");
  EXPECT_EQ(ResolveBase("/lib/c.so").fate, FileFate::kShadowed);
  Put("rw/lib/c.so", "12345");
  ASSERT_EQ(chmod((directory_ + "/rw/lib/c.so").c_str(), 0755), 0);
  EXPECT_EQ(ResolveBase("/lib/c.so").fate, FileFate::kShadowed);
}

TEST_F(UnionResolverTest, AWhiteoutDeletes) {
  Put("base/lib/gone", "12345");
  Put("rw/lib/.wh.gone", "");
  const ResolvedFile file = ResolveBase("/lib/gone");
  EXPECT_EQ(file.fate, FileFate::kDeleted);
  EXPECT_EQ(file.why, "branch 0 has a whiteout for \"/lib/gone\"");
  EXPECT_EQ(file.branch_path, directory_ + "/base/lib/gone");
  EXPECT_EQ(file.of_branch->size_bytes, 5U);
}

TEST_F(UnionResolverTest, ARenamedFileIsComparedUnderItsNewName) {
  Put("base/lib/old", "12345");
  Put("rw/lib/.wh.old", "");
  Put("rw/lib/new", "12345");
  EXPECT_EQ(Resolve("/lib/old", "/lib/new").value().fate, FileFate::kPresent);
  Put("rw/lib/new", "other");
  EXPECT_EQ(Resolve("/lib/old", "/lib/new").value().fate, FileFate::kShadowed);
}

TEST_F(UnionResolverTest, DirectoriesAreMergedAndNeverShadowed) {
  EXPECT_EQ(ResolveBase("/lib").fate, FileFate::kPresent);
  EXPECT_EQ(ResolveBase("").fate, FileFate::kPresent);
}

TEST_F(UnionResolverTest, APseudoLinkGetsANameOfItsInode) {
  fs::create_directories(directory_ + "/base/.wh..wh.plnk");
  fs::create_hard_link(Put("base/lib/hard", "12345"), directory_ + "/base/.wh..wh.plnk/27.48");
  const ResolvedFile file = ResolveBase("/.wh..wh.plnk/27.48");
  EXPECT_EQ(file.fate, FileFate::kPresent);
  EXPECT_EQ(file.rest, "/lib/hard");
  EXPECT_EQ(file.why, "the pseudo-link's inode has that name");
  Put("rw/lib/.wh.hard", "");
  EXPECT_EQ(ResolveBase("/.wh..wh.plnk/27.48").fate, FileFate::kDeleted);
}

TEST_F(UnionResolverTest, AnOrphanHasNoName) {
  fs::create_directories(directory_ + "/base/.wh..wh.orph");
  Put("base/.wh..wh.orph/1234", "12345");
  const ResolvedFile file = ResolveBase("/.wh..wh.orph/1234");
  EXPECT_EQ(file.fate, FileFate::kDeleted);
  EXPECT_EQ(file.why, "it is a name of AUFS itself and no other name of the file is left");
  EXPECT_EQ(file.branch_path, directory_ + "/base/.wh..wh.orph/1234");
}

TEST_F(UnionResolverTest, ADeletedFileIsLookedForWithoutTheSuffixUnlessItIsCalledSo) {
  Put("base/lib/x", "12345");
  const std::string link = "/lib/x (deleted)";
  const uint32_t mode = S_IFREG | 0644;
  const ResolvedFile file = Resolve(link, link, FileFacts{5, mode}).value();
  EXPECT_EQ(file.fate, FileFate::kDeleted);
  EXPECT_EQ(file.rest, "/lib/x");
  EXPECT_EQ(file.branch_path, directory_ + "/base/lib/x");
  EXPECT_EQ(Resolve(link, link, FileFacts{6, mode}).value().branch_path, "");
  Put("base/lib/x (deleted)", "12345");
  EXPECT_EQ(ResolveBase(link).fate, FileFate::kPresent);
}

TEST_F(UnionResolverTest, ADeletedFileSaysWhereTheUnionTakesNoFileAnyMore) {
  const auto obstacle = [&](const std::string& link) {
    return Resolve(link, link, FileFacts{5, S_IFREG | 0644}).value().obstacle;
  };
  for (const char* name : {"/base/dir/sub", "/base/.wh..wh.orph"}) {
    fs::create_directories(directory_ + name);
  }
  Put("base/dir/sub/x", "12345");
  Put("base/.wh..wh.orph/12", "12345");
  EXPECT_EQ(obstacle("/dir/sub/x (deleted)"), "");
  Put("rw/dir", "a file");
  EXPECT_EQ(obstacle("/dir/sub/x (deleted)"), "/dir");
  EXPECT_EQ(obstacle("/.wh..wh.orph/12 (deleted)"), "/.wh..wh.orph");
}

TEST_F(UnionResolverTest, WhereTheBranchesFileIsGoneTheRecordedSizeDecides) {
  Put("rw/lib/c.so", "12345");
  const uint32_t mode = S_IFREG | 0644;
  EXPECT_EQ(Resolve("/lib/c.so", "/lib/c.so", FileFacts{5, mode}).value().fate, FileFate::kPresent);
  EXPECT_EQ(Resolve("/lib/c.so", "/lib/c.so", FileFacts{6, mode}).value().fate,
            FileFate::kShadowed);
}

TEST_F(UnionResolverTest, ARootFileSystemSaysWhatIsShown) {
  Put("base/lib/c.so", "12345");
  Put("rootfs/lib/c.so", "1234567");
  const ResolvedFile file = Resolve("/lib/c.so", "/lib/c.so", std::nullopt, true).value();
  EXPECT_EQ(file.fate, FileFate::kPresent);
  EXPECT_EQ(file.shown->size_bytes, 7U);
  Put("base/lib/other", "12345");
  EXPECT_EQ(Resolve("/lib/other", "/lib/other", std::nullopt, true).error().message,
            "would become \"/lib/other\", which is not below " + directory_ + "/rootfs");
}

TEST_F(UnionResolverTest, WithoutBranchesAndRootNothingIsVerified) {
  for (Branch& branch : map_.unions[0].branches) branch.access_path.reset();
  EXPECT_EQ(ResolveBase("/lib/c.so").fate, FileFate::kUnverified);
}

TEST_F(UnionResolverTest, ABranchThatIsSaidToBeThereHasToBe) {
  fs::remove_all(directory_ + "/rw");
  const auto resolved = Resolve("/x", "/x");
  EXPECT_EQ(resolved.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(resolved.error().message.starts_with("the branches of union web: open"))
      << resolved.error().message;
}

}  // namespace
}  // namespace ckpt
