#include "imgtool/check/check_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "formats/check/check_dump.h"
#include "formats/check/sample_container.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/notify.pb.h"
#include "imgtool/check/root_check.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/sample_archive.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CheckCommand : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    fs::create_directories(directory_ + "/parent");
    fs::create_directories(directory_ + "/dump");
    fs::create_directories(directory_ + "/root");
    fs::create_symlink("../parent", directory_ + "/dump/parent");
    sample_ = MakeSampleContainer();
    Write();
  }

  void Write() {
    for (const auto& [name, bytes] : sample_.dump.files()) Put("dump/" + name, bytes);
    for (const auto& [name, bytes] : sample_.parent.files()) Put("parent/" + name, bytes);
  }

  // Gives the regular file with the id these facts.
  void SetFacts(uint32_t id, uint32_t mode, std::optional<uint64_t> size_bytes) {
    sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [&](pb::file_entry& file) {
      if (file.id() != id) return false;
      file.mutable_reg()->set_mode(mode);
      if (size_bytes) file.mutable_reg()->set_size(*size_bytes);
      return true;
    });
  }

  std::string dump() const { return directory_ + "/dump"; }
  std::string root() const { return directory_ + "/root"; }

  SampleContainer sample_;
};

TEST_F(CheckCommand, SaysThatNothingIsWrongAndEndsWithZero) {
  const ToolRun run = RunTool({"check", dump()});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, "0 errors, 0 warnings, 0 notes\n");
  EXPECT_EQ(run.err, "");
}

TEST_F(CheckCommand, GroupsFindingsByRuleErrorsFirst) {
  fs::remove(dump() + "/pipes-data.img");
  fs::remove(dump() + "/tcp-stream-c8.img");
  Put("dump/pages-77.img", "");
  Put("dump/todo", "");
  const ToolRun run = RunTool({"check", dump()});
  EXPECT_EQ(run.code, 1);
  EXPECT_EQ(run.out,
            "error pipe-data: not so: what a pipe holds is in pipes-data.img\n"
            "  files.img: entry 5: pipe.pipe_id: 77, of which pipes-data.img has nothing, expected "
            "what the pipe holds\n"
            "error tcp-stream: not so: the state of a TCP connection is there\n"
            "  files.img: entry 11: isk.ino: 200, connected, but there is no tcp-stream-c8.img, "
            "expected the state of the connection\n"
            "warning pages-unused: not so: a pages image belongs to a pagemap\n"
            "  pages-77.img: of no pagemap, expected pages that a pagemap counts\n"
            "note other-file: not so: files beside the images are ones that dumpers leave there\n"
            "  todo: no image, and nothing that dumpers leave beside images\n"
            "2 errors, 1 warning, 1 note\n");
}

TEST_F(CheckCommand, EndsWithZeroWhereThereAreNotesOnly) {
  Put("dump/todo", "");
  EXPECT_EQ(RunTool({"check", dump()}).code, 0);
}

TEST_F(CheckCommand, PrintsJson) {
  fs::remove(dump() + "/utsns-14.img");
  const ToolRun run = RunTool({"check", "--json", dump()});
  EXPECT_EQ(run.code, 1);
  EXPECT_EQ(run.out, R"({
    "findings": [
        {
            "rule": "namespace-image",
            "severity": "error",
            "image": "ids-1.img",
            "entry": 0,
            "field": "uts_ns_id",
            "found": "14, but there is no utsns-14.img",
            "expected": "the namespace, where it is not the one of the dumper"
        }
    ],
    "errors": 1,
    "warnings": 0,
    "notes": 0
}
)");
}

TEST_F(CheckCommand, TellsOfDamagedImagesWithoutTheDirectoryAndChecksTheRest) {
  Put("dump/mm-1.img", sample_.dump.files().at("mm-1.img").substr(0, 20));
  fs::remove(dump() + "/utsns-14.img");
  const ToolRun run = RunTool({"check", dump()});
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.out, HasSubstr("error image-damaged: not so: an image can be read to its end\n"
                                 "  mm-1.img: entry 0 at offset 8: "));
  EXPECT_THAT(run.out, HasSubstr("namespace-image"));
  EXPECT_THAT(run.out, Not(HasSubstr(dump())));
}

// Of more than what is read of any image at once, and of more than there is memory.
TEST_F(CheckCommand, ReadsNoContentOfDeletedFiles) {
  const std::string name = sample_.dump.FirstOf(ImageType::kGhostFile);
  fs::resize_file(dump() + "/" + name, uint64_t{1} << 40);
  EXPECT_EQ(RunTool({"check", dump()}).out, "0 errors, 0 warnings, 0 notes\n");
}

TEST_F(CheckCommand, TellsOfGapsInTheParentAndOfNone) {
  fs::remove(directory_ + "/parent/pagemap-1.img");
  EXPECT_THAT(RunTool({"check", dump()}).out,
              HasSubstr("error parent-gap: not so: the parent has the pages that are left to it\n"
                        "  pagemap-1.img: entry 2: vaddr: 0x14000 of 0x14000-0x16000 is not in the "
                        "parent, expected pages that the parent has\n"));
  fs::remove(dump() + "/parent");
  EXPECT_THAT(RunTool({"check", dump()}).out, HasSubstr("error parent-missing"));
  fs::create_symlink("../nowhere", dump() + "/parent");
  EXPECT_THAT(RunTool({"check", dump()}).out, HasSubstr("error parent-link"));
}

TEST_F(CheckCommand, ChecksAnArchiveAsItsDirectory) {
  // An archive has no parent.
  fs::remove(dump() + "/utsns-14.img");
  fs::remove(dump() + "/parent");
  std::string members;
  for (const auto& entry : fs::directory_iterator(dump())) {
    members += SampleTarMember("checkpoint/" + entry.path().filename().string(),
                               ReadWholeFile(entry.path().string()).value());
  }
  const std::string archive = Put("dump.tar", members + SampleTar({}));
  const ToolRun of_archive = RunTool({"check", archive});
  EXPECT_EQ(of_archive.code, 1);
  EXPECT_EQ(of_archive.out, RunTool({"check", dump()}).out);
}

TEST_F(CheckCommand, EndsWithOtherCodesWhereThereIsNothingToCheck) {
  EXPECT_EQ(RunTool({"check", directory_ + "/nowhere"}).code, 3);
  EXPECT_EQ(RunTool({"check", dump(), "--root", directory_ + "/nowhere"}).code, 3);
  EXPECT_EQ(RunTool({"check"}).code, 2);
  EXPECT_EQ(RunTool({"check", "--rules", dump()}).code, 2);
}

TEST(CheckRulesOption, PrintsTheTableThatTheDocumentationHas) {
  const ToolRun run = RunTool({"check", "--rules"});
  EXPECT_EQ(run.code, 0);
  for (const CheckRule* rule : CheckRules()) {
    EXPECT_THAT(run.out, HasSubstr(fmt::format("| `{}` | {} | {} |\n", rule->id,
                                               Name(rule->severity), rule->doc)));
  }
  for (const CheckRule& rule : RootRules()) {
    EXPECT_THAT(run.out, HasSubstr(std::string("| `") + std::string(rule.id)));
  }
  EXPECT_THAT(ReadWholeFile("docs/imgtool.md").value(), HasSubstr(run.out))
      << "paste the output of `imgtool check --rules` into the section check";
  EXPECT_EQ(RunTool({"check", "--rules", "--json"}).code, 0);
}

class CheckRootOption : public CheckCommand {
 protected:
  void SetUp() override {
    CheckCommand::SetUp();
    fs::create_directories(root() + "/bin");
    fs::create_directories(root() + "/run");
    fs::create_directories(root() + "/dev/pts");
    Put("root/bin/app", "an app");
    Put("root/run/fifo", "");
    Put("root/dev/pts/0", "");
    chmod((root() + "/bin/app").c_str(), 0755);
    SetFacts(1, S_IFREG | 0755, 6);
    Write();
  }
};

TEST_F(CheckRootOption, FindsNothingWhereAllFilesAreAsTheDumpSays) {
  const ToolRun run = RunTool({"check", dump(), "--root", root()});
  EXPECT_EQ(run.out, "0 errors, 0 warnings, 0 notes\n");
  EXPECT_EQ(run.code, 0);
}

TEST_F(CheckRootOption, FindsAllThatDiffersInOneRun) {
  SetFacts(1, S_IFREG | 0700, 7);
  SetFacts(2, S_IFDIR | 0123, std::nullopt);
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (file.id() != 1) return false;
    file.mutable_reg()->add_build_id(0x01020304);
    return true;
  });
  Write();
  fs::remove(root() + "/run/fifo");
  chmod(root().c_str(), 0755);
  const ToolRun run = RunTool({"check", dump(), "--root", root()});
  EXPECT_EQ(run.code, 1);
  EXPECT_EQ(run.out,
            "error root-file: not so: the root filesystem has the file\n"
            "  files.img: entry 2: reg.name: /run/fifo is not there, expected the file\n"
            "error root-mode: not so: kind and permissions of the file are those of the dump\n"
            "  files.img: entry 0: reg.mode: /bin/app has 0100755, expected 0100700\n"
            "  files.img: entry 1: reg.mode: / has 040755, expected 040123\n"
            "error root-size: not so: the size of the file is that of the dump\n"
            "  files.img: entry 0: reg.size: /bin/app has 6 bytes, expected 7\n"
            "error root-build-id: not so: the build id of the program is that of the dump\n"
            "  files.img: entry 0: reg.build_id: /bin/app has none, expected 04030201\n"
            "5 errors, 0 warnings, 0 notes\n");
}

TEST_F(CheckRootOption, LooksForWhatIsWatchedByItsPath) {
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (!file.has_ify()) return false;
    // The first is on a deleted file, which is in the dump.
    file.mutable_ify()->mutable_wd(0)->mutable_f_handle()->set_path("/bin/deleted");
    file.mutable_ify()->mutable_wd(1)->mutable_f_handle()->set_path("/bin/gone");
    return true;
  });
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (!file.has_ffy()) return false;
    pb::fanotify_mark_entry& mark = *file.mutable_ffy()->mutable_mark(0);
    mark.clear_me();
    mark.set_type(pb::INODE);
    mark.mutable_ie()->mutable_f_handle()->set_path("/run/none");
    FillRequired(mark);
    return true;
  });
  Write();
  const ToolRun run = RunTool({"check", dump(), "--root", root()});
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.out,
              HasSubstr("error root-watch: not so: the root filesystem has what is watched by its "
                        "path\n"
                        "  files.img: entry 13: ify.wd[1].f_handle.path: /bin/gone is not there, "
                        "expected what is watched\n"
                        "  files.img: entry 14: ffy.mark[0].ie.f_handle.path: /run/none is not "
                        "there, expected what is watched\n"));
  Put("root/bin/gone", "");
  Put("root/run/none", "");
  EXPECT_EQ(RunTool({"check", dump(), "--root", root()}).code, 0);
}

TEST_F(CheckRootOption, FollowsLinksInsideOfTheRootOnly) {
  Put("secret", "an app");
  fs::remove(root() + "/bin/app");
  fs::remove(root() + "/bin");
  fs::create_symlink("/usr/bin", root() + "/bin");
  fs::create_directories(root() + "/usr/bin");
  Put("root/usr/bin/app", "an app");
  chmod((root() + "/usr/bin/app").c_str(), 0755);
  EXPECT_EQ(RunTool({"check", dump(), "--root", root()}).code, 0);
  fs::remove(root() + "/bin");
  fs::create_symlink("../../../../../../../../" + directory_, root() + "/bin");
  EXPECT_THAT(RunTool({"check", dump(), "--root", root()}).out, HasSubstr("/bin/app is not there"));
}

TEST_F(CheckRootOption, TellsFilesOnOtherMountsApart) {
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (file.id() != 6) return false;
    file.mutable_reg()->set_name("/tmp/fifo");
    file.mutable_reg()->set_mnt_id(104);
    return true;
  });
  Write();
  const ToolRun run = RunTool({"check", dump(), "--root", root()});
  EXPECT_EQ(run.code, 0);
  EXPECT_THAT(run.out, HasSubstr("  mountpoints-15.img: entry 3: mountpoint: /tmp with 1 file of "
                                 "the dump, not compared\n"));
}

TEST_F(CheckRootOption, FindsBindMountsOfTheRootInIt) {
  pb::mnt_entry bind;
  bind.set_mnt_id(110);
  bind.set_parent_mnt_id(101);
  bind.set_mountpoint("/bound");
  bind.set_root("/bin");
  bind.set_root_dev(0x20);
  sample_.dump.Add(ImageType::kMnts, 15, bind);
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (file.id() != 1) return false;
    file.mutable_reg()->set_name("/bound/app");
    file.mutable_reg()->set_mnt_id(110);
    return true;
  });
  Write();
  EXPECT_EQ(RunTool({"check", dump(), "--root", root()}).code, 0);
  fs::remove(root() + "/bin/app");
  EXPECT_THAT(RunTool({"check", dump(), "--root", root()}).out, HasSubstr("/bin/app is not there"));
}

TEST_F(CheckRootOption, LooksForTheDirectoriesOfSockets) {
  fs::remove_all(root() + "/run");
  EXPECT_THAT(RunTool({"check", dump(), "--root", root()}).out,
              HasSubstr("usk.name: /run is not there, expected the directory of the socket"));
}

}  // namespace
}  // namespace ckpt
