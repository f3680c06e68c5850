// Signal handlers with flags and masks of their own, an alternate stack, and pending signals, of
// the process and of a thread, with their values.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

// What rt_sigaction(2) takes, not what glibc makes of it.
struct KernelAction {
  void* handler;
  unsigned long flags;
  void* restorer;
  unsigned long mask;
};

std::array<KernelAction, 65> Actions() {
  std::array<KernelAction, 65> actions = {};
  for (int number = 1; number <= 64; ++number) {
    REQUIRE(syscall(SYS_rt_sigaction, number, nullptr, &actions[static_cast<size_t>(number)], 8) ==
            0);
  }
  return actions;
}

void ExpectActions(const std::array<KernelAction, 65>& then) {
  const std::array<KernelAction, 65> now = Actions();
  for (size_t number = 1; number < now.size(); ++number) {
    EXPECT(now[number].handler == then[number].handler);
    EXPECT_EQUAL(now[number].flags, then[number].flags);
    EXPECT(now[number].restorer == then[number].restorer);
    EXPECT_EQUAL(now[number].mask, then[number].mask);
  }
}

volatile sig_atomic_t handled = 0;
volatile sig_atomic_t handled_value = 0;
volatile sig_atomic_t on_altstack = 0;
char altstack_bytes[65536];

void Handle(int) { handled = handled + 1; }

void HandleInfo(int, siginfo_t* info, void*) {
  char here = 0;
  on_altstack = &here >= altstack_bytes && &here < altstack_bytes + sizeof(altstack_bytes);
  handled_value = info->si_value.sival_int;
}

void Install(int number, int flags, std::initializer_list<int> masked) {
  struct sigaction action = {};
  if ((flags & SA_SIGINFO) != 0) {
    action.sa_sigaction = HandleInfo;
  } else {
    action.sa_handler = Handle;
  }
  action.sa_flags = flags;
  for (int other : masked) sigaddset(&action.sa_mask, other);
  REQUIRE(sigaction(number, &action, nullptr) == 0);
}

void InstallAll() {
  Install(SIGUSR2, SA_SIGINFO | SA_ONSTACK, {SIGHUP, SIGALRM});
  Install(SIGHUP, SA_RESTART, {});
  Install(SIGALRM, SA_NODEFER, {SIGRTMAX});
  Install(SIGTERM, static_cast<int>(SA_RESETHAND), {SIGINT, SIGQUIT});
  Install(SIGCHLD, SA_NOCLDSTOP | SA_RESTART, {});
  Install(SIGRTMIN + 5, SA_SIGINFO, {SIGRTMIN + 6});
  Install(SIGRTMAX, SA_SIGINFO | SA_RESTART, {});
  REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  REQUIRE(signal(SIGWINCH, SIG_IGN) != SIG_ERR);
}

void Block(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : numbers) sigaddset(&set, number);
  REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
}

void QueueToProcess(int number, int value) {
  sigval data = {};
  data.sival_int = value;
  REQUIRE(sigqueue(getpid(), number, data) == 0);
}

void QueueToThread(int number, int value) {
  siginfo_t info = {};
  info.si_signo = number;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_int = value;
  REQUIRE(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, &info) == 0);
}

void LeavePending() {
  Block({SIGINT, SIGQUIT, SIGHUP, SIGRTMIN + 1, SIGRTMIN + 2, SIGRTMIN + 3});
  REQUIRE(kill(getpid(), SIGINT) == 0);
  REQUIRE(syscall(SYS_tgkill, getpid(), gettid(), SIGQUIT) == 0);
  for (int value : {11, 12, 13}) QueueToProcess(SIGRTMIN + 1, value);
  for (int value : {21, 22}) QueueToThread(SIGRTMIN + 2, value);
  QueueToProcess(SIGRTMIN + 3, 31);
  QueueToThread(SIGRTMIN + 3, 32);
}

void ExpectNext(int number, int code, int value) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  siginfo_t info = {};
  const timespec at_once = {};
  // The call itself: glibc's function reports SI_TKILL as SI_USER.
  EXPECT_EQUAL(syscall(SYS_rt_sigtimedwait, &set, &info, &at_once, 8), number);
  EXPECT_EQUAL(info.si_code, code);
  EXPECT_EQUAL(info.si_pid, getpid());
  EXPECT_EQUAL(info.si_uid, getuid());
  if (code == SI_QUEUE) EXPECT_EQUAL(info.si_value.sival_int, value);
}

void ExpectPendingInOrder() {
  ExpectNext(SIGINT, SI_USER, 0);
  ExpectNext(SIGQUIT, SI_TKILL, 0);
  for (int value : {11, 12, 13}) ExpectNext(SIGRTMIN + 1, SI_QUEUE, value);
  for (int value : {21, 22}) ExpectNext(SIGRTMIN + 2, SI_QUEUE, value);
  ExpectNext(SIGRTMIN + 3, SI_QUEUE, 32);  // a thread's own come first
  ExpectNext(SIGRTMIN + 3, SI_QUEUE, 31);
}

void ExpectNothingPending() {
  EXPECT_SAME(StatusField("SigPnd"), "0000000000000000");
  EXPECT_SAME(StatusField("ShdPnd"), "0000000000000000");
}

void ExpectDelivery() {
  QueueToProcess(SIGUSR2, 77);
  EXPECT_EQUAL(handled_value, 77);
  EXPECT(on_altstack == 1);
  REQUIRE(raise(SIGTERM) == 0);
  EXPECT_EQUAL(handled, 1);
  struct sigaction after = {};
  REQUIRE(sigaction(SIGTERM, nullptr, &after) == 0);
  EXPECT(after.sa_handler == SIG_DFL);  // SA_RESETHAND was kept
  REQUIRE(raise(SIGPIPE) == 0);
}

void Run() {
  stack_t altstack = {};
  altstack.ss_sp = altstack_bytes;
  altstack.ss_size = sizeof(altstack_bytes);
  REQUIRE(sigaltstack(&altstack, nullptr) == 0);
  InstallAll();
  LeavePending();
  const auto actions = Actions();
  const std::string of_thread = StatusField("SigPnd");
  const std::string of_process = StatusField("ShdPnd");
  const std::string blocked = StatusField("SigBlk");

  ReadyAndAwaitGo();

  ExpectActions(actions);
  EXPECT_SAME(StatusField("SigPnd"), of_thread);
  EXPECT_SAME(StatusField("ShdPnd"), of_process);
  EXPECT_SAME(StatusField("SigBlk"), blocked);
  ExpectPendingInOrder();
  ExpectNothingPending();
  stack_t now = {};
  REQUIRE(sigaltstack(nullptr, &now) == 0);
  EXPECT(now.ss_sp == altstack.ss_sp);
  EXPECT_EQUAL(now.ss_size, altstack.ss_size);
  EXPECT_EQUAL(now.ss_flags, 0);
  ExpectDelivery();
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
