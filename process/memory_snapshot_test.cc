#include "process/memory_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "process/child_for_test.h"
#include "process/frozen_process.h"
#include "process/maps.h"
#include "process/task_list.h"
#include "process/task_status.h"

namespace ckpt {
namespace {

using testing::IsEmpty;
using testing::Not;

constexpr size_t kPages = 64;

// Shared with the children of a test, to tell them what to do.
struct Orders {
  std::atomic<int> value = 0;
  std::atomic<bool> is_done = false;
};

class MemorySnapshotTest : public testing::Test {
 protected:
  MemorySnapshotTest()
      : orders_(new (mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                          -1, 0)) Orders),
        pages_(static_cast<char*>(mmap(nullptr, kPages * kPageSize, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
  ~MemorySnapshotTest() override {
    munmap(orders_, kPageSize);
    munmap(pages_, kPages * kPageSize);
  }

  // Fills its pages with each value it is told, until that is 0.
  int FillAsTold(const std::function<void()>& ready) const {
    std::fill_n(pages_, kPages * kPageSize, 'a');
    ready();
    while (true) {
      const int value = orders_->value.exchange(-1);
      if (value == 0) return 0;
      if (value < 0) continue;
      std::fill_n(pages_, kPages * kPageSize, static_cast<char>(value));
      orders_->is_done = true;
    }
  }
  void Fill(char value) const {
    orders_->is_done = false;
    orders_->value = value;
    while (!orders_->is_done) {
    }
  }

  static Result<MemorySnapshot> Take(pid_t pid) {
    CKPT_TRY(FrozenProcess frozen, FrozenProcess::Freeze(pid));
    CKPT_TRY(const RemoteMemory memory, RemoteMemory::Open(pid));
    CKPT_TRY(const auto mappings, ReadMappings(pid, FallbackKernelFeatures()));
    CKPT_TRY(const RemoteSyscalls engine,
             RemoteSyscalls::Install(frozen.leader(), memory, FindExecutableRanges(mappings), {}));
    Result<MemorySnapshot> snapshot = MemorySnapshot::Take(frozen.leader(), engine);
    CKPT_TRY(engine.Uninstall(frozen.leader()));
    CKPT_TRY(frozen.Thaw());
    CKPT_TRY(MemorySnapshot taken, std::move(snapshot));
    CKPT_TRY(taken.OpenMemory());
    return taken;
  }

  std::string Pages(const RemoteMemory& memory) const {
    std::string bytes(kPages * kPageSize, '\0');
    const auto start = reinterpret_cast<uint64_t>(pages_);
    const Result<> read = memory.Read(
        RemotePtr(start), std::as_writable_bytes(std::span(bytes.data(), bytes.size())));
    EXPECT_TRUE(read.has_value()) << read.error().message;
    return bytes;
  }

  Orders* orders_;
  char* pages_;
};

TEST_F(MemorySnapshotTest, TheProcessRunsOnAndTheSnapshotStaysAsItWas) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) { return FillAsTold(ready); });
  MemorySnapshot snapshot = Take(child.pid()).value();
  Fill('b');
  EXPECT_EQ(Pages(snapshot.memory()), std::string(kPages * kPageSize, 'a'));
  ASSERT_TRUE(snapshot.Settle().has_value());
  Fill('c');
  EXPECT_EQ(Pages(snapshot.memory()), std::string(kPages * kPageSize, 'a'));
  const auto ended = snapshot.End();
  ASSERT_TRUE(ended.has_value()) << ended.error().message;
  EXPECT_THAT(ListChildren(child.pid()).value(), IsEmpty());
  Fill('d');
  orders_->value = 0;
  EXPECT_EQ(child.Wait(), 0);
}

// A child with signals that it would notice: SIGCHLD of a child, and an end that wait(2) tells.
TEST_F(MemorySnapshotTest, TheProcessNoticesNoChild) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) {
    static std::atomic<int> signals = 0;
    signal(SIGCHLD, [](int) { ++signals; });
    ready();
    while (orders_->value < 0) {
      if (wait(nullptr) >= 0 || errno != ECHILD) return 1;
    }
    return signals == 0 ? 0 : 2;
  });
  for (int i = 0; i < 20; ++i) {
    MemorySnapshot snapshot = Take(child.pid()).value();
    EXPECT_THAT(ListChildren(child.pid()).value(), Not(IsEmpty()));
    if (i % 2 == 0) {
      ASSERT_TRUE(snapshot.Settle().has_value());
    }
    ASSERT_TRUE(snapshot.End().has_value());
    EXPECT_THAT(ListChildren(child.pid()).value(), IsEmpty());
  }
  orders_->value = 0;
  EXPECT_EQ(child.Wait(), 0);
}

// Settled, the snapshot holds no descriptor: who reads from a pipe sees its end.
TEST_F(MemorySnapshotTest, WhatTheProcessClosesIsClosed) {
  orders_->value = -1;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ChildForTest child([&](const auto& ready) {
    ready();
    while (orders_->value < 0) {
    }
    close(ends[1]);
    return pause();
  });
  close(ends[1]);
  MemorySnapshot snapshot = Take(child.pid()).value();
  ASSERT_TRUE(snapshot.Settle().has_value());
  orders_->value = 0;
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 0);
  EXPECT_TRUE(snapshot.End().has_value());
  close(ends[0]);
}

TEST_F(MemorySnapshotTest, ASnapshotOfAProcessThatHasEndedLeavesNothing) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) { return FillAsTold(ready); });
  MemorySnapshot snapshot = Take(child.pid()).value();
  ASSERT_TRUE(snapshot.Settle().has_value());
  orders_->value = 0;
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_EQ(Pages(snapshot.memory()), std::string(kPages * kPageSize, 'a'));
  const pid_t pid = snapshot.pid();
  EXPECT_TRUE(snapshot.End().has_value());
  // Another reaps it: an init of this test's PID namespace, or of the machine.
  const auto status = ReadTaskStatus(pid);
  EXPECT_TRUE(status.has_error() || status.value().state == 'Z');
}

TEST_F(MemorySnapshotTest, ASnapshotThatIsKilledIsToldAndLeavesNothing) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) { return FillAsTold(ready); });
  for (const bool is_settled : {false, true}) {
    MemorySnapshot snapshot = Take(child.pid()).value();
    if (is_settled) {
      ASSERT_TRUE(snapshot.Settle().has_value());
    }
    kill(snapshot.pid(), SIGKILL);
    std::byte byte{};
    while (snapshot.memory()
               .Read(RemotePtr(reinterpret_cast<uint64_t>(pages_)), std::span(&byte, 1))
               .has_value()) {
    }
    EXPECT_TRUE(is_settled || snapshot.Settle().has_error());
    EXPECT_TRUE(snapshot.End().has_value());
    EXPECT_THAT(ListChildren(child.pid()).value(), IsEmpty());
  }
  orders_->value = 0;
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(MemorySnapshotTest, TheSnapshotEndsWithTheProgramThatTookIt) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) { return FillAsTold(ready); });
  ChildForTest taker([&](const auto& ready) {
    const MemorySnapshot snapshot = Take(child.pid()).value();
    ready();
    return pause();
  });
  const std::vector<pid_t> snapshots = ListChildren(child.pid()).value();
  ASSERT_EQ(snapshots.size(), 1U);
  kill(taker.pid(), SIGKILL);
  while (ReadTaskStatus(snapshots.front()).value().state != 'Z') {
  }
  Fill('b');
  orders_->value = 0;
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(MemorySnapshotTest, AStoppedProcessStaysStopped) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) { return FillAsTold(ready); });
  kill(child.pid(), SIGSTOP);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WSTOPPED | WNOWAIT), 0);
  MemorySnapshot snapshot = Take(child.pid()).value();
  ASSERT_TRUE(snapshot.Settle().has_value());
  ASSERT_TRUE(snapshot.End().has_value());
  EXPECT_EQ(ReadTaskStatus(child.pid()).value().state, 'T');
  kill(child.pid(), SIGCONT);
  orders_->value = 0;
  EXPECT_EQ(child.Wait(), 0);
}

// The first child in a PID namespace is its init: with it the namespace would end.
TEST_F(MemorySnapshotTest, AProcessWhoseChildrenAreBornElsewhereKeepsItsNamespace) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) {
    if (unshare(CLONE_NEWPID) != 0) return 1;
    ready();
    while (orders_->value < 0) {
    }
    const pid_t first = fork();
    if (first == 0) _exit(getpid() == 1 ? 0 : 1);
    int status = 0;
    return waitpid(first, &status, 0) == first && status == 0 ? 0 : 2;
  });
  const auto taken = Take(child.pid());
  ASSERT_TRUE(taken.has_error());
  EXPECT_EQ(
      taken.error().message,
      fmt::format("process {}: its children are born into another pid namespace", child.pid()));
  orders_->value = 0;
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(MemorySnapshotTest, AThreadThatDoesNotStopIsLetGo) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) {
    ready();
    while (orders_->value < 0) {
    }
    if (vfork() == 0) {
      orders_->is_done = true;
      while (orders_->is_done) {
      }
      _exit(0);
    }
    orders_->is_done = true;
    return pause();
  });
  MemorySnapshot snapshot = Take(child.pid()).value();
  orders_->value = 0;
  while (!orders_->is_done) {
  }
  const auto ended = snapshot.End();
  ASSERT_TRUE(ended.has_error());
  EXPECT_THAT(ended.error().message, testing::HasSubstr("does not stop"));
  orders_->is_done = false;
  while (!orders_->is_done && ReadTaskStatus(child.pid()).value().state != 't') {
  }
  EXPECT_TRUE(orders_->is_done);
}

// Filters that kill for wait4.
bool ForbidWaiting() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {.len = std::size(filter), .filter = filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(MemorySnapshotTest, AProcessThatMayNotWaitAnyMoreIsNotMadeTo) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) {
    ready();
    while (orders_->value < 0) {
    }
    if (!ForbidWaiting()) return 1;
    orders_->is_done = true;
    while (orders_->is_done) {
    }
    return 0;
  });
  MemorySnapshot snapshot = Take(child.pid()).value();
  orders_->value = 0;
  while (!orders_->is_done) {
  }
  const auto ended = snapshot.End();
  EXPECT_TRUE(ended.has_error());
  if (ended.has_error()) {
    EXPECT_EQ(ended.error().message, fmt::format("thread {} is in seccomp mode 2", child.pid()));
  }
  orders_->is_done = false;
  EXPECT_EQ(child.Wait(), 0);
}

// Nobody has waited for it yet.
TEST_F(MemorySnapshotTest, ASnapshotOfAZombieLeavesNothing) {
  orders_->value = -1;
  ChildForTest child([this](const auto& ready) { return FillAsTold(ready); });
  MemorySnapshot snapshot = Take(child.pid()).value();
  orders_->value = 0;
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT), 0);
  const auto ended = snapshot.End();
  EXPECT_TRUE(ended.has_value()) << ended.error().message;
  EXPECT_EQ(child.Wait(), 0);
}

}  // namespace
}  // namespace ckpt
