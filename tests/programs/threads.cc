// Sixteen threads, each with a mask, name, alternate stack, robust list, GS base and thread-local
// data of its own. Half of them wait on a condition variable, half spin.
#include <asm/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr int kThreadCount = 16;

thread_local std::array<uint64_t, 512> local_values;
thread_local int local_index = -1;

std::mutex mutex;
std::condition_variable changed;
int waiting = 0;               // guarded by mutex
std::atomic<bool> go = false;  // waiting threads see it under the mutex

struct Identity {
  pid_t tid;
  uint64_t mask;
  char name[16];
  stack_t altstack;
  void* robust_list;
  uint64_t gs_base;
  uint64_t fs_base;
};

uint64_t CurrentMask() {
  sigset_t set;
  REQUIRE(pthread_sigmask(SIG_SETMASK, nullptr, &set) == 0);
  uint64_t mask = 0;
  for (int number = 1; number <= 64; ++number) {
    if (sigismember(&set, number) == 1) mask |= uint64_t{1} << (number - 1);
  }
  return mask;
}

Identity Identify() {
  Identity self = {};
  size_t size = 0;
  self.tid = static_cast<pid_t>(syscall(SYS_gettid));
  self.mask = CurrentMask();
  REQUIRE(prctl(PR_GET_NAME, self.name) == 0);
  REQUIRE(sigaltstack(nullptr, &self.altstack) == 0);
  REQUIRE(syscall(SYS_get_robust_list, 0, &self.robust_list, &size) == 0);
  REQUIRE(syscall(SYS_arch_prctl, ARCH_GET_GS, &self.gs_base) == 0);
  REQUIRE(syscall(SYS_arch_prctl, ARCH_GET_FS, &self.fs_base) == 0);
  return self;
}

void ExpectIdentity(const Identity& now, const Identity& then) {
  EXPECT_EQUAL(now.tid, then.tid);
  EXPECT_EQUAL(now.mask, then.mask);
  EXPECT_SAME(std::string(now.name), std::string(then.name));
  EXPECT(now.altstack.ss_sp == then.altstack.ss_sp);
  EXPECT_EQUAL(now.altstack.ss_size, then.altstack.ss_size);
  EXPECT_EQUAL(now.altstack.ss_flags, then.altstack.ss_flags);
  EXPECT(now.robust_list == then.robust_list);
  EXPECT_EQUAL(now.gs_base, then.gs_base);
  EXPECT_EQUAL(now.fs_base, then.fs_base);
}

void SetUp(int index, std::vector<char>* altstack_bytes) {
  local_index = index;
  for (size_t i = 0; i < local_values.size(); ++i) {
    local_values[i] = i * 1000003 + static_cast<uint64_t>(index);
  }
  sigset_t own;
  sigemptyset(&own);
  sigaddset(&own, SIGRTMIN + index);
  REQUIRE(pthread_sigmask(SIG_BLOCK, &own, nullptr) == 0);
  const std::string name = "worker " + std::to_string(index);
  REQUIRE(prctl(PR_SET_NAME, name.c_str()) == 0);
  altstack_bytes->resize(static_cast<size_t>(SIGSTKSZ) + 4096 * static_cast<size_t>(index));
  stack_t altstack = {};
  altstack.ss_sp = altstack_bytes->data();
  altstack.ss_size = altstack_bytes->size();
  REQUIRE(sigaltstack(&altstack, nullptr) == 0);
  REQUIRE(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x10000 + index * 8) == 0);
}

void ReportWaiting() {
  std::lock_guard<std::mutex> lock(mutex);
  ++waiting;
  changed.notify_all();
}

uint64_t Wait(int index) {
  uint64_t turns = 0;
  if (index % 2 == 0) {
    std::unique_lock<std::mutex> lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [] { return go.load(); });
  } else {
    ReportWaiting();
    while (!go.load(std::memory_order_relaxed)) {
      ++turns;
      sched_yield();
    }
  }
  return turns;
}

void Work(int index) {
  std::vector<char> altstack_bytes;
  SetUp(index, &altstack_bytes);
  const Identity then = Identify();
  Wait(index);
  ExpectIdentity(Identify(), then);
  EXPECT_EQUAL(local_index, index);
  for (size_t i = 0; i < local_values.size(); ++i) {
    EXPECT(local_values[i] == i * 1000003 + static_cast<uint64_t>(index));
  }
}

void Run() {
  const Identity then = Identify();
  std::vector<std::thread> threads;
  for (int index = 0; index < kThreadCount - 1; ++index) threads.emplace_back(Work, index);
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [] { return waiting == kThreadCount - 1; });
  }
  ReadyAndAwaitGo();
  {
    std::lock_guard<std::mutex> lock(mutex);
    go = true;
    changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
  ExpectIdentity(Identify(), then);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
