// A tree that forks, and whose processes and threads end, all the time.
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr int kFirstRounds = 3;

// The next child to end, and its exit status.
int ReapOne(pid_t pid) {
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) > 0);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

void ForkAndReap(unsigned round) {
  const auto code = static_cast<int>(round % 128);  // what CRIU restores of a zombie
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) _exit(code);
  EXPECT_EQUAL(ReapOne(pid), code);
}

// A child that ends before its own, which comes to this process then.
void InheritOrphan(unsigned) {
  REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (fork() == 0) _exit(7);
    _exit(8);
  }
  EXPECT_EQUAL(ReapOne(pid), 8);
  EXPECT_EQUAL(ReapOne(-1), 7);
}

void StartAndJoin(unsigned round) {
  pthread_t thread{};
  void* returned = nullptr;
  REQUIRE(pthread_create(
              &thread, nullptr, [](void* given) { return given; }, &round) == 0);
  REQUIRE(pthread_join(thread, &returned) == 0);
  REQUIRE(returned == &round);
}

struct Worker {
  void (*work)(unsigned round);
  std::atomic<unsigned>* rounds;
  pid_t pid;
};

void WorkUntilGo(const Worker& worker) {
  for (unsigned round = 0; round < kFirstRounds || !GoArrived(); ++round) {
    if (round == kFirstRounds) Ready();
    worker.work(round);
    ++*worker.rounds;
  }
}

bool HasEnded(const Worker& worker) {
  siginfo_t info = {};
  REQUIRE(waitid(P_PID, static_cast<id_t>(worker.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0);
  return info.si_pid != 0;
}

void Run() {
  void* const shared =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  auto* rounds = static_cast<std::atomic<unsigned>*>(shared);
  std::array<Worker, 3> workers = {
      {{ForkAndReap, rounds, 0}, {InheritOrphan, rounds + 1, 0}, {StartAndJoin, rounds + 2, 0}}};
  for (Worker& worker : workers) worker.pid = StartChild([&] { WorkUntilGo(worker); });
  ReadyAndAwaitGo();
  for (const Worker& worker : workers) {
    const unsigned before = *worker.rounds;
    while (*worker.rounds < before + kFirstRounds && !HasEnded(worker)) sched_yield();
    EndChild(worker.pid);
  }
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
