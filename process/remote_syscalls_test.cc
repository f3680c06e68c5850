#include "process/remote_syscalls.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "process/child_for_test.h"
#include "process/remote_memory.h"
#include "process/tracee.h"

namespace ckpt {
namespace {

std::string Maps(pid_t pid) { return ReadWholeFile(fmt::format("/proc/{}/maps", pid)).value(); }

std::vector<RemoteRange> Executable(pid_t pid) {
  std::vector<RemoteRange> ranges;
  std::istringstream lines(Maps(pid));
  for (std::string line; std::getline(lines, line);) {
    uint64_t start = 0;
    uint64_t end = 0;
    char protection[5] = {};
    if (sscanf(line.c_str(), "%lx-%lx %4s", &start, &end, protection) == 3 &&
        protection[2] == 'x') {
      ranges.insert(line.ends_with("[vdso]") ? ranges.begin() : ranges.end(), {start, end});
    }
  }
  return ranges;
}

// A stopped child with the engine in it.
struct Frozen {
  explicit Frozen(const ChildForTest& child, bool can_step = false)
      : maps_before(Maps(child.pid())),
        memory(RemoteMemory::Open(child.pid()).value()),
        tracee(Tracee::Seize(child.pid(), 0).value()) {
    EXPECT_TRUE(tracee.Interrupt().has_value());
    EXPECT_TRUE(tracee.WaitForStop().has_value());
    registers = tracee.GetRegisters().value();
    RemoteSyscalls::Options options;
    options.can_step = can_step;
    engine.emplace(
        RemoteSyscalls::Install(tracee, memory, Executable(child.pid()), options).value());
  }

  void ExpectNoTrace() {
    EXPECT_TRUE(engine->Uninstall(tracee).has_value());
    EXPECT_EQ(Maps(memory.pid()), maps_before);
    const user_regs_struct after = tracee.GetRegisters().value();
    EXPECT_EQ(memcmp(&after, &registers, sizeof(after)), 0);
    EXPECT_TRUE(tracee.Detach().has_value());
  }

  std::string maps_before;
  RemoteMemory memory;
  Tracee tracee;
  user_regs_struct registers{};
  std::optional<RemoteSyscalls> engine;
};

// With and without single steps.
class SteppingTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(RemoteSyscalls, SteppingTest, testing::Bool());

TEST_P(SteppingTest, ABatchRunsInTheTaskAndTheTaskSleepsOnUndisturbed) {
  ChildForTest child([](const auto& ready) {
    ready();
    const timespec duration{0, 300'000'000};
    return nanosleep(&duration, nullptr) == 0 ? 0 : errno;  // EINTR if the call were not restarted
  });
  Frozen frozen(child, GetParam());
  SyscallBatch batch = frozen.engine->NewBatch();
  const size_t pid = batch.Add(SyscallBatch::OnError::kStop, SYS_getpid, {});
  const RemotePtr cwd = batch.Reserve(4096);
  const size_t getcwd = batch.Add(SyscallBatch::OnError::kStop, SYS_getcwd, {cwd, 4096});
  ASSERT_TRUE(frozen.engine->RunAll(frozen.tracee, batch, "test").has_value());
  EXPECT_EQ(batch.result(pid), child.pid());
  const std::string here = ReadLink("/proc/self/cwd").value();
  EXPECT_EQ(batch.result(getcwd), static_cast<int64_t>(here.size()) + 1);
  EXPECT_EQ(AsText(batch.Output(cwd, here.size())), here);
  frozen.ExpectNoTrace();
  EXPECT_EQ(child.Wait(), 0);
}

TEST(RemoteSyscallsTest, WhatIsDoneMeanwhileIsDoneWhileTheTaskRuns) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  Frozen frozen(child);
  SyscallBatch batch = frozen.engine->NewBatch();
  const RemotePtr byte = batch.Reserve(1);
  const size_t read = batch.Add(SyscallBatch::OnError::kStop, SYS_read, {ends[0], byte, 1});
  const auto unblock = [&]() -> Result<> {
    EXPECT_EQ(write(ends[1], "x", 1), 1);
    return MakeError(ErrorCode::kSystem, "told");
  };
  const auto result = frozen.engine->RunAll(frozen.tracee, batch, "test", unblock);
  EXPECT_EQ(result.error().message, "told");
  EXPECT_EQ(batch.result(read), 1);
  EXPECT_EQ(AsText(batch.Output(byte, 1)), "x");
  frozen.ExpectNoTrace();
  for (const int end : ends) close(end);
}

TEST(RemoteSyscallsTest, ACallCanTakeTheResultOfAnEarlierOne) {
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  Frozen frozen(child);
  SyscallBatch batch = frozen.engine->NewBatch();
  using enum SyscallBatch::OnError;
  const size_t open = batch.Add(kStop, SYS_openat,
                                {AT_FDCWD, batch.PutString("/dev/null"), O_WRONLY | O_CLOEXEC, 0});
  const size_t duplicate = batch.Add(kStop, SYS_fcntl, {-1, F_DUPFD_CLOEXEC, 700});
  const size_t close = batch.Add(kStop, SYS_close, {-1});
  batch.PassResult(open, duplicate, 0);
  batch.PassResult(duplicate, close, 0);
  ASSERT_TRUE(frozen.engine->RunAll(frozen.tracee, batch, "test").has_value());
  EXPECT_GT(batch.result(open), 2);
  EXPECT_EQ(batch.result(duplicate), 700);
  EXPECT_EQ(batch.result(close), 0);
  frozen.ExpectNoTrace();
}

TEST(RemoteSyscallsTest, AFailureEndsABatchOnlyWhereAsked) {
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  Frozen frozen(child);
  SyscallBatch batch = frozen.engine->NewBatch();
  using enum SyscallBatch::OnError;
  const size_t tolerated = batch.Add(kGoOn, SYS_close, {12345});
  const size_t fatal = batch.Add(kStop, SYS_close, {12346});
  const size_t never = batch.Add(kStop, SYS_getpid, {});
  const auto result = frozen.engine->RunAll(frozen.tracee, batch, "closing");
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().message,
            "closing: remote system call 3(12346, 0, 0, 0, 0, 0): Bad file descriptor (EBADF)");
  EXPECT_EQ(batch.result(tolerated), -EBADF);
  EXPECT_EQ(batch.first_failure(), fatal);
  EXPECT_EQ(batch.result(never), 0);
  frozen.ExpectNoTrace();
}

std::atomic<int> handled = 0;

TEST(RemoteSyscallsTest, PendingAndIgnoredSignalsStayAsTheyAre) {
  ChildForTest child([](const auto& ready) {
    std::signal(SIGTRAP, SIG_IGN);
    std::signal(SIGUSR1, [](int) { ++handled; });
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTRAP);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, nullptr);
    raise(SIGUSR1);
    raise(SIGTRAP);
    ready();
    const timespec duration{0, 200'000'000};
    nanosleep(&duration, nullptr);
    sigset_t pending;
    sigpending(&pending);
    struct sigaction action {};
    sigaction(SIGTRAP, nullptr, &action);
    if (handled != 0 || !sigismember(&pending, SIGUSR1)) return 1;
    if (action.sa_handler != SIG_IGN) return 2;
    sigprocmask(SIG_UNBLOCK, &mask, nullptr);
    return handled == 1 ? 0 : 3;
  });
  Frozen frozen(child);
  for (int i = 0; i < 3; ++i) {
    SyscallBatch batch = frozen.engine->NewBatch();
    batch.Add(SyscallBatch::OnError::kStop, SYS_getpid, {});
    ASSERT_TRUE(frozen.engine->RunAll(frozen.tracee, batch, "test").has_value());
  }
  frozen.ExpectNoTrace();
  EXPECT_EQ(child.Wait(), 0);
}

TEST_P(SteppingTest, ASigstopThatComesMeanwhileIsGivenBackAtTheEnd) {
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  {
    Frozen frozen(child, GetParam());
    kill(child.pid(), SIGSTOP);
    SyscallBatch batch = frozen.engine->NewBatch();
    const size_t pid = batch.Add(SyscallBatch::OnError::kStop, SYS_getpid, {});
    ASSERT_TRUE(frozen.engine->RunAll(frozen.tracee, batch, "test").has_value());
    EXPECT_EQ(batch.result(pid), child.pid());
    frozen.ExpectNoTrace();
  }
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WSTOPPED), 0);
  EXPECT_EQ(info.si_status, SIGSTOP);
}

TEST(RemoteSyscallsTest, AStepLeavesTheHandlerOfItsSignal) {
  ChildForTest child([](const auto& ready) {
    std::signal(SIGTRAP, [](int) { ++handled; });
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTRAP);
    sigprocmask(SIG_BLOCK, &mask, nullptr);
    ready();
    const timespec duration{0, 200'000'000};
    if (nanosleep(&duration, nullptr) != 0) return errno;
    sigprocmask(SIG_UNBLOCK, &mask, nullptr);
    if (handled != 0) return 1;
    raise(SIGTRAP);
    return handled == 1 ? 0 : 2;
  });
  Frozen(child, true).ExpectNoTrace();
  EXPECT_EQ(child.Wait(), 0);
}

TEST(RemoteSyscallsTest, BatchesOfSeveralTasksRunSideBySide) {
  const auto sleep = [](const auto& ready) {
    ready();
    return pause();
  };
  ChildForTest first_child(sleep);
  ChildForTest second_child(sleep);
  Frozen first(first_child);
  Frozen second(second_child);
  SyscallBatch first_batch = first.engine->NewBatch();
  SyscallBatch second_batch = second.engine->NewBatch();
  first_batch.Add(SyscallBatch::OnError::kStop, SYS_getpid, {});
  second_batch.Add(SyscallBatch::OnError::kStop, SYS_getpid, {});
  std::array batches{RemoteBatch{&*first.engine, &first.tracee, &first_batch},
                     RemoteBatch{&*second.engine, &second.tracee, &second_batch}};
  ASSERT_TRUE(RemoteSyscalls::RunSideBySide(batches).has_value());
  EXPECT_EQ(first_batch.result(0), first_child.pid());
  EXPECT_EQ(second_batch.result(0), second_child.pid());
  first.ExpectNoTrace();
  second.ExpectNoTrace();
}

TEST(RemoteSyscallsTest, AThreadThatDiesKeepsNoOtherFromFinishingItsBatch) {
  const auto sleep = [](const auto& ready) {
    ready();
    return pause();
  };
  ChildForTest dying_child(sleep);
  ChildForTest child(sleep);
  Frozen dying(dying_child);
  Frozen frozen(child);
  SyscallBatch deadly = dying.engine->NewBatch();
  SyscallBatch batch = frozen.engine->NewBatch();
  deadly.Add(SyscallBatch::OnError::kStop, SYS_exit_group, {0});
  batch.Add(SyscallBatch::OnError::kStop, SYS_getpid, {});
  std::array batches{RemoteBatch{&*dying.engine, &dying.tracee, &deadly},
                     RemoteBatch{&*frozen.engine, &frozen.tracee, &batch}};
  const Result<> run = RemoteSyscalls::RunSideBySide(batches);
  ASSERT_TRUE(run.has_error());
  EXPECT_EQ(run.error().code, ErrorCode::kProcessGone);
  EXPECT_EQ(batch.result(0), child.pid());
  frozen.ExpectNoTrace();
}

TEST(RemoteSyscallsTest, BatchesOfOneTaskHaveMemoryOfTheirOwn) {
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  Frozen frozen(child);
  std::vector<SyscallBatch> batches = frozen.engine->NewBatches(1000, 4, 4096);
  ASSERT_EQ(batches.size(), 16U);  // of 64 KB
  EXPECT_EQ(batches[1].start().address(), batches[0].start().address() + 4096);
  frozen.ExpectNoTrace();
}

TEST(RemoteSyscallsTest, ATaskThatDiesIsAnOrdinaryError) {
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  Frozen frozen(child);
  kill(child.pid(), SIGKILL);
  SyscallBatch batch = frozen.engine->NewBatch();
  batch.Add(SyscallBatch::OnError::kStop, SYS_getpid, {});
  EXPECT_EQ(frozen.engine->Run(frozen.tracee, batch).error().code, ErrorCode::kProcessGone);
}

}  // namespace
}  // namespace ckpt
