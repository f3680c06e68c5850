#include "process/frozen_process.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <set>
#include <vector>

#include "process/child_for_test.h"
#include "process/task_list.h"
#include "process/task_status.h"

namespace ckpt {
namespace {

void* Sleep(void*) {
  while (true) pause();
}

int RunThreads(int count) {
  for (int i = 0; i < count; ++i) {
    pthread_t thread;
    pthread_create(&thread, nullptr, Sleep, nullptr);
  }
  return 0;
}

TEST(FrozenProcessTest, EveryThreadIsStoppedLeaderFirstAndRunsOnAfterwards) {
  ChildForTest child([](const auto& ready) {
    RunThreads(7);
    ready();
    const timespec duration{0, 200'000'000};
    return nanosleep(&duration, nullptr);
  });
  auto frozen = FrozenProcess::Freeze(child.pid()).value();
  EXPECT_EQ(frozen.threads().size(), 8U);
  EXPECT_EQ(frozen.leader().tid(), child.pid());
  EXPECT_EQ(frozen.stop_signal(), 0);
  for (const Tracee& thread : frozen.threads()) {
    EXPECT_EQ(ReadTaskStatus(child.pid(), thread.tid()).value().state, 't');
  }
  EXPECT_TRUE(frozen.Thaw().has_value());
  EXPECT_EQ(child.Wait(), 0);
}

// The first waits for a child of vfork.
TEST(FrozenProcessTest, OneThreadIsOneThatCanBeStopped) {
  ChildForTest child([](const auto& ready) {
    RunThreads(1);
    ready();
    if (vfork() == 0) {
      while (true) pause();
    }
    return 0;
  });
  while (ReadTaskStatus(child.pid(), child.pid()).value().state != 'D') {
  }
  const pid_t waiting = ListChildren(child.pid()).value().front();
  auto frozen = FrozenProcess::FreezeOneThread(child.pid());
  ASSERT_TRUE(frozen.has_value()) << frozen.error().message;
  ASSERT_EQ(frozen.value().threads().size(), 1U);
  EXPECT_NE(frozen.value().threads().front().tid(), child.pid());
  EXPECT_TRUE(frozen.value().Thaw().has_value());
  kill(waiting, SIGKILL);
  EXPECT_EQ(child.Wait(), 0);
}

TEST(FrozenProcessTest, AProcessThatKeepsMakingThreadsIsCaughtWhole) {
  ChildForTest child([](const auto& ready) {
    ready();
    while (true) {
      pthread_t thread;
      pthread_create(
          &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
      pthread_join(thread, nullptr);
    }
    return 0;
  });
  for (int round = 0; round < 200; ++round) {
    auto frozen = FrozenProcess::Freeze(child.pid());
    ASSERT_TRUE(frozen.has_value()) << frozen.error().message;
    // A thread that was on its way out is not frozen, and counted until it is gone.
    uint32_t threads = 0;
    for (int i = 0; i < 100'000 && threads != frozen.value().threads().size(); ++i) {
      threads = ReadTaskStatus(child.pid()).value().threads;
    }
    EXPECT_EQ(frozen.value().threads().size(), threads);
  }
}

TEST(FrozenProcessTest, AStoppedProcessStaysStopped) {
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  kill(child.pid(), SIGSTOP);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WSTOPPED), 0);
  {
    auto frozen = FrozenProcess::Freeze(child.pid()).value();
    EXPECT_EQ(frozen.stop_signal(), SIGSTOP);
  }
  // Detached, it wakes up for a moment to find that it is to stop.
  char state = 0;
  for (int i = 0; i < 100'000 && state != 'T'; ++i) {
    state = ReadTaskStatus(child.pid()).value().state;
    ASSERT_NE(state, 'S') << "it runs";
  }
  EXPECT_EQ(state, 'T');
}

TEST(FrozenProcessTest, APidThatIsNotThereIsNotFound) {
  const auto frozen = FrozenProcess::Freeze(0x3ffffff);
  ASSERT_TRUE(frozen.has_error());
  EXPECT_EQ(frozen.error().code, ErrorCode::kNotFound);
}

TEST(FrozenProcessTest, KillEndsTheProcess) {
  ChildForTest child([](const auto& ready) {
    RunThreads(3);
    ready();
    return pause();
  });
  auto frozen = FrozenProcess::Freeze(child.pid()).value();
  EXPECT_TRUE(frozen.Kill().has_value());
  EXPECT_EQ(kill(child.pid(), 0), -1);
}

// The kernel keeps the last thread of such a process until all others are reaped.
TEST(FrozenProcessTest, AFirstProcessOfItsNamespaceWithThreadsCanBeKilled) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make namespaces";
  ChildForTest child([](const auto& ready) {
    if (unshare(CLONE_NEWPID) != 0) return 1;
    int ends[2] = {};
    if (pipe(ends) != 0) return 1;
    const pid_t init = fork();
    if (init == 0) {
      RunThreads(7);
      ready();
      close(ends[1]);
      pause();
    }
    close(ends[1]);
    char nothing = 0;
    if (read(ends[0], &nothing, 1) != 0) return 1;
    ready();
    int status = 0;
    return waitpid(init, &status, 0) == init && WTERMSIG(status) == SIGKILL ? 7 : 1;
  });
  const std::vector<pid_t> children = ListChildren(child.pid()).value();
  ASSERT_EQ(children.size(), 1U);
  auto frozen = FrozenProcess::Freeze(children[0]).value();
  ASSERT_TRUE(frozen.Kill().has_value());
  EXPECT_EQ(child.Wait(), 7);
}

}  // namespace
}  // namespace ckpt
