// Compressed and squashed dumps of running programs, restored by both restorers: each program
// judges itself. CRIU must refuse what it cannot read.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "imgtool/sample_dump.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/subject.h"
#include "tests/interop/dumped_program.h"
#include "tests/storage/split_dump.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Programs with memory of every kind: private, inherited and changed since, shared.
constexpr const char* kPrograms[] = {"memory", "copied_memory", "shared_memory", "tree"};

std::string Imgtool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), RunfilePath("imgtool/imgtool"));
  const auto run = RunCommandWell(arguments);
  return run.has_error() ? run.error().message : "";
}

std::string VerdictAfter(const DumpedProgram& dump, Engine restorer) {
  Result<Subject> subject = dump.RestoreBy(restorer);
  if (subject.has_error()) return subject.error().message;
  const Result<std::string> verdict = subject.value().Verdict();
  return verdict.has_error() ? verdict.error().message : verdict.value();
}

// Ends the orphans of a restore that failed, which are children of the test by now.
void EndOrphans() {
  const std::string path = fmt::format("/proc/self/task/{}/children", getpid());
  std::istringstream children(ReadWholeFile(path).value());
  for (pid_t pid = 0; children >> pid;) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, __WALL);
  }
}

// Without what restores leave there.
Tree ImagesOf(const DumpedProgram& dump) {
  Tree tree = ReadTree(dump.images());
  std::erase_if(tree, [](const auto& file) {
    return file.first.ends_with(".log") || file.first.ends_with(".pid") ||
           file.first == "stats-restore";
  });
  return tree;
}

class LiveStorageTest : public testing::TestWithParam<const char*> {
 protected:
  void MakeDump(Engine dumper, const std::vector<std::string>& more = {}) {
    if (const auto available = CheckAvailable(dumper); available.has_error()) {
      GTEST_SKIP() << available.error().message;
    }
    Result<DumpedProgram> made = DumpedProgram::Make({GetParam()}, dumper, more);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    dump_.emplace(std::move(made).value());
  }

  const std::string& images() const { return dump_->images(); }

  static bool HasCriu() { return CheckAvailable(Engine::kCriu).has_value(); }

  std::optional<DumpedProgram> dump_;
};

TEST_P(LiveStorageTest, ADumpThatWasWrittenCompressedIsRestored) {
  MakeDump(Engine::kOurs, {"--compress"});
  if (!dump_) return;
  EXPECT_TRUE(fs::exists(images() + "/pages-1.img.zst"));
  EXPECT_FALSE(fs::exists(images() + "/pages-1.img"));
  EXPECT_EQ(VerdictAfter(*dump_, Engine::kOurs), "pass");
  if (!HasCriu()) return;
  EXPECT_THAT(VerdictAfter(*dump_, Engine::kCriu), HasSubstr("Not supported images version"));
  ASSERT_EQ(Imgtool({"decompress", images()}), "");
  EXPECT_EQ(VerdictAfter(*dump_, Engine::kCriu), "pass");
}

TEST_P(LiveStorageTest, ADumpOfCriuIsRestoredCompressedAndComesBack) {
  MakeDump(Engine::kCriu);
  if (!dump_) return;
  const Tree before = ImagesOf(*dump_);
  ASSERT_EQ(Imgtool({"compress", images(), "--level", "1"}), "");
  EXPECT_EQ(VerdictAfter(*dump_, Engine::kOurs), "pass");
  EXPECT_THAT(VerdictAfter(*dump_, Engine::kCriu), HasSubstr("Not supported images version"));
  ASSERT_EQ(Imgtool({"decompress", images()}), "");
  EXPECT_EQ(ImagesOf(*dump_), before);
  EXPECT_EQ(VerdictAfter(*dump_, Engine::kCriu), "pass");
}

TEST_P(LiveStorageTest, ASquashedChainIsRestoredByBoth) {
  MakeDump(Engine::kOurs);
  if (!dump_) return;
  const auto split = SplitDump(images(), 3);
  ASSERT_TRUE(split.has_value()) << split.error().message;
  EXPECT_EQ(VerdictAfter(*dump_, Engine::kOurs), "pass");
  // A layer behind another one may be compressed by itself.
  ASSERT_EQ(Imgtool({"compress", images() + ".1"}), "");
  EXPECT_EQ(VerdictAfter(*dump_, Engine::kOurs), "pass");
  if (HasCriu()) {
    EXPECT_THAT(VerdictAfter(*dump_, Engine::kCriu), HasSubstr("exit status 1"));
    EndOrphans();
  }
  ASSERT_EQ(Imgtool({"squash", images(), "-o", images() + ".full"}), "");
  fs::rename(images(), images() + ".chain");
  fs::rename(images() + ".full", images());
  for (const std::string suffix : {".1", ".2", ".chain"}) fs::remove_all(images() + suffix);
  EXPECT_EQ(VerdictAfter(*dump_, Engine::kOurs), "pass");
  if (HasCriu()) {
    EXPECT_EQ(VerdictAfter(*dump_, Engine::kCriu), "pass");
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, LiveStorageTest, testing::ValuesIn(kPrograms),
                         [](const auto& program) { return std::string(program.param); });

}  // namespace
}  // namespace ckpt
