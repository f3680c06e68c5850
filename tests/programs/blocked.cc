// Threads that wait in the kernel: each system call must go on as if nothing had happened. Those
// that time out may also end with EINTR, as a stop and continue may make them.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

int pipe_ends[2];
int poll_ends[2];
std::atomic<int> futex_word = 0;
std::atomic<bool> sleep_is_over = false;

void ReadPipe() {
  char byte = 0;
  EXPECT_EQUAL(read(pipe_ends[0], &byte, 1), 1);
  EXPECT_EQUAL(byte, 'r');
}

void PollWithoutEnd() {
  pollfd polled = {poll_ends[0], POLLIN, 0};
  int ready = -1;
  while ((ready = poll(&polled, 1, -1)) < 0 && errno == EINTR) {
  }
  EXPECT_EQUAL(ready, 1);
  EXPECT_EQUAL(polled.revents, POLLIN);
}

void WaitOnFutex() {
  const long result = syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
  EXPECT(result == 0 || errno == EAGAIN);
  EXPECT_EQUAL(futex_word.load(), 1);
}

// Only its own signal may end it before its time.
void SleepLong() {
  timespec left = {100000, 0};
  while (!sleep_is_over) {
    EXPECT(nanosleep(&left, &left) == -1 && errno == EINTR);
  }
}

void WaitForSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  while (sigwaitinfo(&set, nullptr) < 0) EXPECT_EQUAL(errno, EINTR);
}

// The wchan-free way to see that a thread sleeps: its state.
bool Sleeps(pid_t tid) {
  const std::string stat = FileText("/proc/self/task/" + std::to_string(tid) + "/stat");
  const size_t end = stat.rfind(')');
  return end != std::string::npos && stat.compare(end, 3, ") S") == 0;
}

struct Sleeper {
  std::thread thread;
  std::atomic<pid_t> tid = 0;
};

void StartSleeper(Sleeper* sleeper, void (*body)()) {
  sleeper->thread = std::thread([sleeper, body] {
    sleeper->tid = gettid();
    body();
  });
  while (sleeper->tid == 0 || !Sleeps(sleeper->tid)) sched_yield();
}

void EndSleep(int) { sleep_is_over = true; }

void Run() {
  struct sigaction action = {};
  action.sa_handler = EndSleep;
  REQUIRE(sigaction(SIGUSR2, &action, nullptr) == 0);
  REQUIRE(pipe(pipe_ends) == 0 && pipe(poll_ends) == 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  REQUIRE(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  void (*const bodies[])() = {ReadPipe, PollWithoutEnd, WaitOnFutex, SleepLong, WaitForSignal};
  Sleeper sleepers[std::size(bodies)];
  for (size_t i = 0; i < std::size(bodies); ++i) StartSleeper(&sleepers[i], bodies[i]);

  ReadyAndAwaitGo();

  EXPECT_EQUAL(write(pipe_ends[1], "r", 1), 1);
  EXPECT_EQUAL(write(poll_ends[1], "p", 1), 1);
  futex_word = 1;
  syscall(SYS_futex, &futex_word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  pthread_kill(sleepers[3].thread.native_handle(), SIGUSR2);
  REQUIRE(kill(getpid(), SIGRTMIN) == 0);
  for (Sleeper& sleeper : sleepers) sleeper.thread.join();
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
