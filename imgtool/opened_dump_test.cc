#include "imgtool/opened_dump.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include "formats/image_file.h"
#include "imgtool/sample_dump.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

struct stat StatusOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status;
}

EditPlan RenameFile(size_t entry) {
  EditPlan plan;
  Edit edit;
  edit.place = {"files.img", entry};
  edit.field = "reg.name";
  edit.old_value = std::string("/d/ID/x");
  edit.new_value = std::string("/x");
  EXPECT_TRUE(plan.Add(edit));
  return plan;
}

Result<PlanOutcome> WriteNewDump(const EditPlan& plan, const std::string& dump,
                                 const std::string& out) {
  CKPT_TRY(OpenedDump opened, OpenedDump::Open(dump, DumpAccess::kRead));
  return opened.WriteNew(plan, out);
}

Result<PlanOutcome> ReplaceDump(const EditPlan& plan, const std::string& dump) {
  CKPT_TRY(OpenedDump opened, OpenedDump::Open(dump, DumpAccess::kReplace));
  return opened.Replace(plan);
}

class OpenedDumpTest : public testing::Test {
 protected:
  OpenedDumpTest() {
    fs::remove_all(root_);
    fs::create_directories(root_ + "/chain");
    dump_.emplace(root_ + "/chain/2");
    dump_->WriteFiles({SampleRegFile(1, "/a"), SampleRegFile(2, "/d/ID/x")});
    dump_->WriteFile("pages-1.img", std::string(8192, 'p'));
    dump_->WriteFile("notes", "unknown files stay");
    fs::create_directories(root_ + "/chain/1");
    fs::create_directories(dump_->Path("sub/deep"));
    dump_->WriteFile("sub/deep/file", "x");
    fs::create_symlink("../1", dump_->Path("parent"));
    fs::create_symlink("pages-1.img", dump_->Path("inner"));
    EXPECT_EQ(chmod(dump_->directory().c_str(), 0750), 0);
    before_ = ReadTree(root_);
  }
  ~OpenedDumpTest() override { fs::remove_all(root_); }

  std::string Out() const { return root_ + "/out"; }
  static std::string NameInEntry1(const std::string& directory) {
    return ReadEntries<pb::file_entry>(directory + "/files.img").value()[1].reg().name();
  }
  void ExpectUntouched() const { EXPECT_EQ(ReadTree(root_), before_); }

  const std::string root_ = testing::TempDir() + "/opened_dump_test";
  std::optional<SampleDump> dump_;
  Tree before_;
};

TEST_F(OpenedDumpTest, ANewDumpHoldsTheEditAndLinksToTheRest) {
  const PlanOutcome outcome = WriteNewDump(RenameFile(1), dump_->directory(), Out()).value();
  EXPECT_EQ(outcome.written, Out());
  EXPECT_EQ(outcome.linked, 3U);
  EXPECT_EQ(NameInEntry1(Out()), "/x");
  EXPECT_EQ(NameInEntry1(dump_->directory()), "/d/ID/x");
  for (const char* name : {"/pages-1.img", "/notes", "/sub/deep/file"}) {
    EXPECT_EQ(StatusOf(Out() + name).st_ino, StatusOf(dump_->directory() + name).st_ino) << name;
  }
  EXPECT_EQ(StatusOf(Out() + "/files.img").st_mode & 07777, 0640U);
  EXPECT_EQ(StatusOf(Out()).st_mode & 07777, 0750U);
  Tree tree = ReadTree(root_);
  std::erase_if(tree, [](const auto& member) { return member.first.starts_with("out"); });
  EXPECT_EQ(tree, before_);
}

TEST_F(OpenedDumpTest, RelativeLinksLeadToWhereTheyLed) {
  fs::create_directories(root_ + "/else/where");
  const std::string out = root_ + "/else/where/out";
  ASSERT_TRUE(WriteNewDump(RenameFile(1), dump_->directory(), out));
  EXPECT_EQ(ReadLink(out + "/parent").value(), "../../../chain/1");
  EXPECT_TRUE(fs::equivalent(out + "/parent", root_ + "/chain/1"));
  EXPECT_EQ(ReadLink(out + "/inner").value(), "pages-1.img");
}

TEST_F(OpenedDumpTest, AnAbsoluteParentStays) {
  fs::remove(dump_->Path("parent"));
  fs::create_symlink(root_ + "/chain/1", dump_->Path("parent"));
  ASSERT_TRUE(WriteNewDump(RenameFile(1), dump_->directory(), Out()));
  EXPECT_EQ(ReadLink(Out() + "/parent").value(), root_ + "/chain/1");
}

TEST_F(OpenedDumpTest, AnEmptyPlanMakesALinkedCopy) {
  ASSERT_TRUE(WriteNewDump(EditPlan(), dump_->directory(), Out() + "/"));
  EXPECT_EQ(StatusOf(Out() + "/files.img").st_ino, StatusOf(dump_->Path("files.img")).st_ino);
}

TEST_F(OpenedDumpTest, InPlaceTheDumpIsExchanged) {
  const struct stat pages = StatusOf(dump_->Path("pages-1.img"));
  const struct stat directory = StatusOf(dump_->directory());
  ASSERT_TRUE(ReplaceDump(RenameFile(1), dump_->directory()));
  EXPECT_EQ(NameInEntry1(dump_->directory()), "/x");
  EXPECT_EQ(StatusOf(dump_->Path("pages-1.img")).st_ino, pages.st_ino);
  EXPECT_EQ(StatusOf(dump_->Path("pages-1.img")).st_mtim.tv_nsec, pages.st_mtim.tv_nsec);
  EXPECT_EQ(StatusOf(dump_->directory()).st_mode, directory.st_mode);
  EXPECT_EQ(StatusOf(dump_->directory()).st_mtim.tv_nsec, directory.st_mtim.tv_nsec);
  EXPECT_EQ(ReadTree(root_ + "/chain/.2.imgtool-undo")["files.img"], before_["chain/2/files.img"]);
  fs::remove_all(root_ + "/chain/.2.imgtool-undo");
  Tree tree = ReadTree(root_);
  tree["chain/2/files.img"] = before_["chain/2/files.img"];
  EXPECT_EQ(tree, before_);
}

TEST_F(OpenedDumpTest, ALinkToTheDumpStaysALink) {
  fs::create_directory_symlink(dump_->directory(), root_ + "/link");
  ASSERT_TRUE(ReplaceDump(RenameFile(1), root_ + "/link"));
  EXPECT_TRUE(fs::is_symlink(root_ + "/link"));
  EXPECT_EQ(NameInEntry1(dump_->directory()), "/x");
}

TEST_F(OpenedDumpTest, InPlaceAnEmptyPlanWritesNothing) {
  const ino_t inode = StatusOf(dump_->directory()).st_ino;
  EXPECT_EQ(ReplaceDump(EditPlan(), dump_->directory()).value().written, "");
  EXPECT_EQ(StatusOf(dump_->directory()).st_ino, inode);
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, AnImageThatIsALinkIsNotFollowed) {
  fs::rename(dump_->Path("files.img"), root_ + "/elsewhere");
  fs::create_symlink("../../elsewhere", dump_->Path("files.img"));
  before_ = ReadTree(root_);
  for (const auto& done : {ReplaceDump(RenameFile(1), dump_->directory()),
                           WriteNewDump(RenameFile(1), dump_->directory(), Out())}) {
    ASSERT_TRUE(done.has_error());
    EXPECT_EQ(done.error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(done.error().message,
              fs::canonical(dump_->directory()).string() +
                  "/files.img: a symbolic link or no file, which is not edited; put the image "
                  "itself in its place");
  }
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, ADumpThatIsOpenToBeReplacedCannotBeOpenedSoAgain) {
  const auto opened = OpenedDump::Open(dump_->directory(), DumpAccess::kReplace);
  ASSERT_TRUE(opened);
  const auto again = OpenedDump::Open(dump_->directory(), DumpAccess::kReplace);
  EXPECT_EQ(again.error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(OpenedDump::Open(dump_->directory(), DumpAccess::kRead));
}

TEST_F(OpenedDumpTest, TimesOfEditedImagesStay) {
  const struct stat before = StatusOf(dump_->Path("files.img"));
  ASSERT_TRUE(ReplaceDump(RenameFile(1), dump_->directory()));
  const struct stat after = StatusOf(dump_->Path("files.img"));
  EXPECT_NE(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
  EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

TEST_F(OpenedDumpTest, AnOutputThatExistsIsRefused) {
  const auto written = WriteNewDump(RenameFile(1), dump_->directory(), root_ + "/chain/1");
  EXPECT_EQ(written.error().code, ErrorCode::kUsage);
  EXPECT_EQ(written.error().message, root_ + "/chain/1 exists already");
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, AnOutputInsideTheDumpIsRefused) {
  const auto written = WriteNewDump(RenameFile(1), dump_->directory(), dump_->Path("out"));
  EXPECT_EQ(written.error().code, ErrorCode::kUsage);
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, AnOutputWhoseParentIsMissingIsRefused) {
  const auto written = WriteNewDump(RenameFile(1), dump_->directory(), root_ + "/none/out");
  EXPECT_EQ(written.error().code, ErrorCode::kNotFound);
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, AFullDiskLeavesNothing) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit small{16, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = WriteNewDump(RenameFile(1), dump_->directory(), Out());
  const auto replaced = ReplaceDump(RenameFile(1), dump_->directory());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  ASSERT_TRUE(written.has_error() && replaced.has_error());
  EXPECT_NE(written.error().message.find("(EFBIG)"), std::string::npos);
  EXPECT_NE(replaced.error().message.find("(EFBIG)"), std::string::npos);
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, AnEditThatCannotBeMadeLeavesNothing) {
  const auto replaced = ReplaceDump(RenameFile(7), dump_->directory());
  EXPECT_EQ(replaced.error().code, ErrorCode::kInternal);
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, AMemberThatIsNoFileIsRefusedAndNothingIsLeft) {
  ASSERT_EQ(mkfifo(dump_->Path("zz-pipe").c_str(), 0600), 0);
  const auto written = WriteNewDump(RenameFile(1), dump_->directory(), Out());
  EXPECT_EQ(written.error().code, ErrorCode::kUnsupported);
  const auto replaced = ReplaceDump(RenameFile(1), dump_->directory());
  EXPECT_EQ(replaced.error().code, ErrorCode::kUnsupported);
  fs::remove(dump_->Path("zz-pipe"));
  ExpectUntouched();
}

// Mounts of its own, which go with the test's process; false where that is not permitted.
bool HasOwnMounts() {
  static const bool has =
      unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return has;
}

TEST_F(OpenedDumpTest, AReadOnlyParentLeavesEverythingAsItWas) {
  if (!HasOwnMounts()) GTEST_SKIP() << "no permission to mount";
  const char* path = root_.c_str();
  ASSERT_EQ(mount(path, path, nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  const auto written = WriteNewDump(RenameFile(1), dump_->directory(), Out());
  const auto replaced = ReplaceDump(RenameFile(1), dump_->directory());
  ASSERT_EQ(umount(path), 0);
  ASSERT_TRUE(written.has_error() && replaced.has_error());
  EXPECT_NE(written.error().message.find("(EROFS)"), std::string::npos);
  EXPECT_NE(replaced.error().message.find("(EROFS)"), std::string::npos);
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, ADumpThatIsAMountpointCannotBeExchanged) {
  if (!HasOwnMounts()) GTEST_SKIP() << "no permission to mount";
  const char* path = dump_->directory().c_str();
  ASSERT_EQ(mount(path, path, nullptr, MS_BIND, nullptr), 0);
  const auto replaced = ReplaceDump(RenameFile(1), dump_->directory());
  ASSERT_EQ(umount(path), 0);
  ASSERT_TRUE(replaced.has_error());
  EXPECT_EQ(replaced.error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(replaced.error().message.ends_with("; nothing was changed, use -o OUT instead"))
      << replaced.error().message;
  ExpectUntouched();
}

TEST_F(OpenedDumpTest, AcrossFileSystemsFilesAreCopied) {
  const std::string out = "/dev/shm/opened_dump_test." + std::to_string(getpid());
  struct stat there {};
  if (stat("/dev/shm", &there) != 0 || there.st_dev == StatusOf(root_).st_dev) {
    GTEST_SKIP() << "/dev/shm is no other file system than " << root_;
  }
  const auto written = WriteNewDump(RenameFile(1), dump_->directory(), out);
  ASSERT_TRUE(written.has_value()) << written.error().message;
  EXPECT_EQ(written.value().linked, 0U);
  EXPECT_EQ(written.value().copied + written.value().reflinked, 3U);
  EXPECT_EQ(ReadTree(out)["pages-1.img"], before_["chain/2/pages-1.img"]);
  EXPECT_TRUE(fs::equivalent(out + "/parent", root_ + "/chain/1"));
  fs::remove_all(out);
  ExpectUntouched();
}

}  // namespace
}  // namespace ckpt
