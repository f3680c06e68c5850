// A program whose terminal is outside of the dump, restored by ckpt-restore on another terminal.
#include <gmock/gmock.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <tuple>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/subject.h"

namespace ckpt {
namespace {

class Terminal {
 public:
  Terminal() {
    int master = -1;
    int slave = -1;
    EXPECT_EQ(openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    master_ = UniqueFd(master);
    slave_ = UniqueFd(slave);
  }

  // Runs the command in new namespaces, CLONE_NEW*, in a session that the terminal controls.
  pid_t Start(const std::vector<std::string>& words, unsigned namespaces = 0) const {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const auto pid = static_cast<pid_t>(syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0));
    if (pid != 0) return pid;
    setsid();
    ioctl(slave_.get(), TIOCSCTTY, 0);
    for (const int fd : {0, 1, 2}) dup2(slave_.get(), fd);
    syscall(SYS_close_range, 3, ~0U, 0);
    execv(arguments[0], arguments.data());
    _exit(127);
  }

  // Reads what is written to the terminal until `word` was.
  bool Await(const std::string& word) const {
    std::string text;
    while (text.find(word) == std::string::npos) {
      std::string piece(100, '\0');
      const ssize_t got = read(master_.get(), piece.data(), piece.size());
      if (got <= 0) return false;
      text += piece.substr(0, static_cast<size_t>(got));
    }
    return true;
  }

 private:
  UniqueFd master_;
  UniqueFd slave_;
};

constexpr unsigned kOwnNamespaces = CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;

// By a dumper, and of a program in the test's namespaces (0) or in some of its own.
class TerminalTest : public testing::TestWithParam<std::tuple<Engine, unsigned>> {
 protected:
  static Engine Dumper() { return std::get<Engine>(GetParam()); }

  TerminalTest()
      : workdir_(MakeTestDirectory("work").value()), images_(MakeTestDirectory("images").value()) {}

  Subject StartProgram(const Terminal& terminal) const {
    const pid_t pid = terminal.Start({RunfilePath("tests/programs/terminal"), workdir_},
                                     std::get<unsigned>(GetParam()));
    EXPECT_TRUE(terminal.Await("ready"));
    return Subject::Adopt(pid, workdir_).value();
  }

  int RestoreOn(const Terminal& terminal, const std::string& option) const {
    std::vector<std::string> words = {RunfilePath("restorer/ckpt-restore"),
                                      "-D",
                                      images_,
                                      "-d",
                                      "-o",
                                      images_ + "/restore.log",
                                      "--pidfile",
                                      images_ + "/pid"};
    if (!option.empty()) words.push_back(option);
    int status = -1;
    EXPECT_GT(waitpid(terminal.Start(words), &status, 0), 0);
    return WEXITSTATUS(status);
  }

  std::string workdir_;
  std::string images_;
};

std::string NameOf(const std::tuple<Engine, unsigned>& dumped) {
  const bool has_own = std::get<unsigned>(dumped) != 0;
  return fmt::format("{}{}", Name(std::get<Engine>(dumped)), has_own ? "InOwnNamespaces" : "");
}

TEST_P(TerminalTest, AnotherTerminalTakesThePlaceOfTheOneThatWas) {
  const Result<> available = CheckAvailable(Dumper());
  if (available.has_error()) GTEST_SKIP() << available.error().message;
  {
    const Terminal terminal;
    Subject subject = StartProgram(terminal);
    const Result<> dumped =
        Dump(Dumper(), subject.pid(), images_, ProcessAfter::kGone, {"--shell-job"});
    ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
    ASSERT_TRUE(subject.AwaitEnd().has_value());
  }
  const Terminal other;
  ASSERT_EQ(RestoreOn(other, "--shell-job"), 0) << ReadWholeFile(images_ + "/restore.log").value();
  const pid_t pid = atoi(ReadWholeFile(images_ + "/pid").value().c_str());
  Subject restored = Subject::Adopt(pid, workdir_).value();
  EXPECT_EQ(restored.Verdict().value(), "pass");
  EXPECT_TRUE(other.Await("hello"));
}

INSTANTIATE_TEST_SUITE_P(Dumpers, TerminalTest,
                         testing::Combine(testing::Values(Engine::kOurs, Engine::kCriu),
                                          testing::Values(0U, kOwnNamespaces)),
                         [](const auto& param) { return NameOf(param.param); });

using TerminalOfNoShellJob = TerminalTest;
TEST_P(TerminalOfNoShellJob, IsRefusedByName) {
  const Terminal terminal;
  Subject subject = StartProgram(terminal);
  const Result<> dumped = Dump(Dumper(), subject.pid(), images_, ProcessAfter::kRunning);
  ASSERT_TRUE(dumped.has_error());
  EXPECT_THAT(dumped.error().message,
              testing::HasSubstr("a terminal from outside of the tree (see --shell-job)"));
  ASSERT_TRUE(
      Dump(Dumper(), subject.pid(), images_, ProcessAfter::kGone, {"--shell-job"}).has_value());
  ASSERT_TRUE(subject.AwaitEnd().has_value());
  EXPECT_EQ(RestoreOn(Terminal(), ""), static_cast<int>(ErrorCode::kUnsupported));
  EXPECT_THAT(ReadWholeFile(images_ + "/restore.log").value(),
              testing::HasSubstr("a terminal from outside of the dump is needed (--shell-job"));
}

INSTANTIATE_TEST_SUITE_P(OfOurs, TerminalOfNoShellJob,
                         testing::Values(std::tuple(Engine::kOurs, 0U)));

}  // namespace
}  // namespace ckpt
