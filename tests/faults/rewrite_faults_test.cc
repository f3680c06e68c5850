// Stops imgtool at every system call that changes the disk, by killing it and by letting the call
// fail, and looks at what is left: the dump is the old one or the new one, and nothing lies about
// once another command of imgtool was run on it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "imgtool/sample_archive.h"
#include "imgtool/sample_dump.h"
#include "tests/faults/faulty_run.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

enum class Output { kInPlace, kNew, kUndo };

struct Job {
  const char* name;
  bool is_archive;
  Output output;
};

std::string NameOf(const testing::TestParamInfo<Job>& job) { return job.param.name; }

class RewriteFaultsTest : public testing::TestWithParam<Job> {
 protected:
  static constexpr int kFaults[] = {0, ENOSPC, EIO};

  // Everything at a path, a directory or a file; empty where nothing is.
  static Tree StateAt(const std::string& path) {
    if (fs::is_directory(path)) return ReadTree(path);
    const auto bytes = ReadWholeFile(path);
    return bytes ? Tree{{"", bytes.value()}} : Tree();
  }

  void MakeDump() const {
    fs::remove_all(root_);
    SampleDump dump(is_archive() ? root_ + "/images" : dump_);
    pb::reg_file_entry mapped = SampleRegFile(2, "/d/ID/lib/c.so");
    mapped.set_mnt_id(22);
    dump.WriteFiles({SampleRegFile(1, "/bin/sh"), mapped});
    dump.Write(ImageType::kMm, 42, std::vector{SampleMm(1, {1, 2})});
    dump.Write(ImageType::kMnts, 7, std::vector{SampleMount(pb::AUFS, 44, 1, "/", "rw,si=1f")});
    dump.Write(ImageType::kCkptRaw, 0,
               std::vector{SampleUnionFact(44, "/", {{"/d/ID", "rw"}}),
                           SampleMappingFact(SampleMapping(2, "/d/ID/lib/c.so", "/lib/c.so"))});
    dump.WriteFile("pages-1.img", std::string(4096, 'p'));
    fs::create_directory(dump.Path("sub"));
    dump.WriteFile("sub/file", "x");
    if (is_archive()) {
      Pack();
    } else {
      fs::create_symlink("../older", dump.Path("parent"));
    }
    if (GetParam().output != Output::kNew) MakeUndo();
  }

  // A state that another change before left to be undone, and that this one replaces.
  void MakeUndo() const {
    if (is_archive()) {
      fs::copy_file(dump_, undo_);
      fs::resize_file(undo_, 10);
    } else {
      fs::create_directory(undo_);
      ASSERT_TRUE(WriteWholeFile(undo_ + "/a", AsBytes("oldest"), 0600));
    }
  }

  void Pack() const {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& [path, content] : ReadTree(root_ + "/images")) {
      if (content != "dir") files.emplace_back("checkpoint/" + path, content);
    }
    // One that is compressed before the changes are known.
    files.emplace_back("checkpoint/pages-2.img", std::string(size_t{2} << 20, 'P'));
    WriteCompressed(dump_, SampleTar(files), Compression::kZstd);
    fs::remove_all(root_ + "/images");
  }

  bool is_archive() const { return GetParam().is_archive; }

  std::vector<std::string> Command() const {
    const std::string imgtool = RunfilePath("imgtool/imgtool");
    if (GetParam().output == Output::kUndo) return {imgtool, "undo", dump_};
    if (GetParam().output == Output::kNew) return {imgtool, "aufs-fixup", dump_, "-o", out_};
    return {imgtool, "aufs-fixup", dump_, "--in-place"};
  }

  void RunFaulty(const Fault& fault, const Tree& old_state, const Tree& new_state, bool* was_hit) {
    MakeDump();
    const Tree before = StateAt(target());
    const auto run = RunWithFault(Command(), fault);
    ASSERT_TRUE(run) << run.error().message;
    *was_hit = !run.value().faulty_call.empty();
    const std::string what = run.value().faulty_call + " #" + std::to_string(fault.call) + " " +
                             std::to_string(fault.error_number);
    const Tree after = StateAt(target());
    EXPECT_TRUE(after == old_state || after == new_state) << what << ": in between";
    if (!*was_hit) return;
    EXPECT_EQ(run.value().was_killed, fault.error_number == 0) << what;
    if (!run.value().was_killed && run.value().exit_status == 0) {
      EXPECT_TRUE(after == new_state) << what << ": said to be done";
    }
    // Whatever is run next tidies up; that it is given what is no image does not matter.
    ASSERT_TRUE(RunCommand({RunfilePath("imgtool/imgtool"), "info", target()}));
    EXPECT_TRUE(StateAt(target()) == after) << what << ": changed by tidying up";
    ExpectNoOrphans(what, after == new_state);
  }

  void ExpectNoOrphans(const std::string& what, bool is_new) const {
    std::vector<std::string> expected;
    if (GetParam().output != Output::kNew) expected.push_back(fs::path(undo_).filename());
    expected.push_back(fs::path(dump_).filename());
    if (GetParam().output == Output::kNew && is_new) expected.push_back(fs::path(out_).filename());
    EXPECT_EQ(ListDirectory(root_).value(), expected) << what;
  }

  const std::string& target() const { return GetParam().output == Output::kNew ? out_ : dump_; }

  const std::string root_ = testing::TempDir() + "rewrite_faults_test";
  const std::string dump_ = root_ + (GetParam().is_archive ? "/dump.tar.zst" : "/dump");
  const std::string undo_ =
      root_ + (GetParam().is_archive ? "/.dump.tar.zst.imgtool-undo" : "/.dump.imgtool-undo");
  const std::string out_ = root_ + "/out";
};

TEST_P(RewriteFaultsTest, EveryCallMayBeTheLastOrFail) {
  MakeDump();
  const Tree old_state = StateAt(target());
  const auto whole = RunWithFault(Command(), std::nullopt);
  if (whole.has_error()) GTEST_SKIP() << whole.error().message;
  ASSERT_EQ(whole.value().exit_status, 0);
  const Tree new_state = StateAt(target());
  ASSERT_TRUE(new_state != old_state);
  ASSERT_GE(whole.value().disk_calls, GetParam().output == Output::kUndo ? 2U : 4U);
  for (const int error_number : kFaults) {
    bool was_hit = true;
    size_t call = 0;
    for (; was_hit && !HasFatalFailure(); ++call) {
      RunFaulty({call, error_number}, old_state, new_state, &was_hit);
    }
    EXPECT_GT(call, whole.value().disk_calls / 2) << error_number;
  }
  fs::remove_all(root_);
}

INSTANTIATE_TEST_SUITE_P(Rewrite, RewriteFaultsTest,
                         testing::Values(Job{"DirectoryInPlace", false, Output::kInPlace},
                                         Job{"DirectoryToNew", false, Output::kNew},
                                         Job{"DirectoryUndo", false, Output::kUndo},
                                         Job{"ArchiveInPlace", true, Output::kInPlace},
                                         Job{"ArchiveToNew", true, Output::kNew},
                                         Job{"ArchiveUndo", true, Output::kUndo}),
                         NameOf);

}  // namespace
}  // namespace ckpt
