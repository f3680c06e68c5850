// What imgtool unpacked is gone however it ends: by a signal, or because nobody reads what it
// prints.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "imgtool/program.h"
#include "imgtool/sample_archive.h"
#include "imgtool/test_pipe.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using std::string_literals::operator""s;

const std::string kFsImage = "\x19\x43\x56\x54\x12\x39\x40\x51\x04\0\0\0\x08\x01\x10\x02"s;

// imgtool with an archive that it waits for the end of.
class Interrupted : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    temporary_ = MakeTestDirectory("temporary").value();
    notify_ = UniqueFd(inotify_init1(IN_CLOEXEC));
    ASSERT_GE(inotify_add_watch(notify_.get(), temporary_.c_str(), IN_CREATE), 0);
  }

  pid_t Start(int in) const {
    const std::string program = RunfilePath("imgtool/imgtool");
    const pid_t child = fork();
    if (child != 0) return child;
    setenv("TMPDIR", temporary_.c_str(), 1);
    dup2(in, STDIN_FILENO);
    execl(program.c_str(), "imgtool", "show", "-", nullptr);
    _exit(127);
  }

  // Until there is something in the temporary directory.
  void AwaitUnpacking() const {
    std::array<char, 4096> event;
    ASSERT_GT(read(notify_.get(), event.data(), event.size()), 0);
  }

  std::string temporary_;
  UniqueFd notify_;
};

TEST_P(Interrupted, LeavesNothingBehind) {
  TestPipe in = MakeTestPipe();
  const std::string start = SampleTarMember("fs-1.img", kFsImage);
  ASSERT_TRUE(WriteAll(in.writer.get(), AsBytes(start), "pipe"));
  const pid_t child = Start(in.reader.get());
  ASSERT_GT(child, 0);
  AwaitUnpacking();
  ASSERT_EQ(kill(child, GetParam()), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == GetParam()) << status;
  EXPECT_TRUE(fs::is_empty(temporary_));
}

INSTANTIATE_TEST_SUITE_P(BySignal, Interrupted, testing::Values(SIGHUP, SIGINT, SIGTERM));

TEST(NobodyReads, WhatIsShownOfAnArchive) {
  const std::string temporary = MakeTestDirectory("temporary").value();
  setenv("TMPDIR", temporary.c_str(), 1);
  signal(SIGPIPE, SIG_IGN);
  const std::string archive = MakeTestDirectory("packed").value() + "/a";
  std::vector<std::pair<std::string, std::string>> files;
  for (int id = 1; id < 2000; ++id) files.emplace_back(fmt::format("fs-{}.img", id), kFsImage);
  WriteCompressed(archive, SampleTar(files), Compression::kZstd);
  TestPipe out = MakeTestPipe();
  out.reader.Reset();
  TestPipe err = MakeTestPipe();
  const std::vector<std::string> arguments = {"show", archive};
  EXPECT_EQ(RunImgtoolOnDescriptors(arguments, STDIN_FILENO, out.writer.get(), err.writer.get()),
            0);
  err.writer.Reset();
  EXPECT_EQ(ReadWholeFd(err.reader.get(), "standard error").value(), "");
  EXPECT_TRUE(fs::is_empty(temporary));
  unsetenv("TMPDIR");
}

}  // namespace
}  // namespace ckpt
