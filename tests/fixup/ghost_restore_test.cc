// A library that was mapped through its layer, and then deleted or replaced in the union before the
// dump was repaired: with its old content as a ghost the process goes on, under both restorers. The
// steps are those of the main job.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <charconv>
#include <string>
#include <tuple>

#include "base/file.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

std::string Step(const std::string& name) {
  const auto result = RunCommand({"bash", RunfilePath("tests/end_to_end/main_job"), name}).value();
  EXPECT_EQ(result.exit_status, 0) << name << ": " << result.output << result.errors;
  return result.output + result.errors;
}

pid_t CountingPid() {
  const std::string text = ReadWholeFile("/mnt/pid").value();
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

struct Loss {
  const char* name;
  const char* command;  // what happens to the library in the union
  const char* option;
  const char* error;
};

const Loss kLosses[] = {
    {"deleted", "rm /mnt/union/lib/libdemo.so", "--on-deleted",
     "was deleted in union 5:.*branch 0 has a whiteout for \"/lib/libdemo.so\""},
    {"replaced", "head -c 50000 /dev/zero >/mnt/union/lib/libdemo.so", "--on-shadowed",
     "was replaced in union 5:.*not the same content"},
};

class GhostRestore : public testing::TestWithParam<std::tuple<Loss, Engine>> {
 protected:
  void SetUp() override {
    setenv("CKPT_DUMP", RunfilePath("dumper/ckpt-dump").c_str(), 1);
    setenv("IMGTOOL", RunfilePath("imgtool/imgtool").c_str(), 1);
    setenv("LAYER_COUNTER", RunfilePath("tests/programs/layer_counter").c_str(), 1);
    Step("host_a");
    Step("start");
    Step("dump");
    waitpid(CountingPid(), nullptr, 0);
  }
  void TearDown() override {
    umount2("/mnt/union", MNT_DETACH);
    umount2("/mnt", MNT_DETACH);
  }

  static CommandResult Fixup(const std::vector<std::string>& more) {
    std::vector<std::string> command = {RunfilePath("imgtool/imgtool"), "aufs-fixup", "/mnt/raw",
                                        "-o", "/mnt/fixed"};
    command.insert(command.end(), more.begin(), more.end());
    return RunCommand(command).value();
  }
};

TEST_P(GhostRestore, TheProcessKeepsWhatItHadMapped) {
  const auto& [loss, engine] = GetParam();
  const Result<> available = CheckAvailable(engine);
  if (available.has_error()) GTEST_SKIP() << available.error().message;
  RunCommandWell({"sh", "-c", loss.command}).value();

  const CommandResult refused = Fixup({});
  EXPECT_EQ(refused.exit_status, 5);
  EXPECT_THAT(refused.errors, testing::ContainsRegex(loss.error));
  const CommandResult fixed = Fixup({loss.option, "ghost"});
  ASSERT_EQ(fixed.exit_status, 0) << fixed.errors;

  const Result<pid_t> restored = Restore(engine, "/mnt/fixed");
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_THAT(Step("verdict"), HasSubstr("its verdict: pass"));
  waitpid(restored.value(), nullptr, 0);
}

std::string CaseName(const testing::TestParamInfo<std::tuple<Loss, Engine>>& info) {
  const auto& [loss, engine] = info.param;
  return fmt::format("{}_restoredBy{}", loss.name, Name(engine));
}

INSTANTIATE_TEST_SUITE_P(Losses, GhostRestore,
                         testing::Combine(testing::ValuesIn(kLosses),
                                          testing::Values(Engine::kOurs, Engine::kCriu)),
                         CaseName);

}  // namespace
}  // namespace ckpt
