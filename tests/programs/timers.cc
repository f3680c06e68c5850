// The three interval timers, and POSIX timers: armed on several clocks, periodic, disarmed, with a
// thread as their target, one that has fired and one whose signal is still pending.
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr long kLongSeconds = 100000;  // nothing here may expire during the test
constexpr long kSlackSeconds = 600;    // what a dump and a restore may take

// timer_create(2) itself: its ids are the kernel's.
int CreateTimer(clockid_t clock, int notify, int signal_number, int value) {
  sigevent event = {};
  event.sigev_notify = notify;
  event.sigev_signo = signal_number;
  event.sigev_value.sival_int = value;
  if (notify == SIGEV_THREAD_ID) event._sigev_un._tid = gettid();
  int id = -1;
  REQUIRE(syscall(SYS_timer_create, clock, &event, &id) == 0);
  return id;
}

itimerspec Spec(long value_seconds, long interval_seconds, long interval_nanoseconds = 0) {
  itimerspec spec = {};
  spec.it_value.tv_sec = value_seconds;
  spec.it_interval.tv_sec = interval_seconds;
  spec.it_interval.tv_nsec = interval_nanoseconds;
  return spec;
}

void Arm(int id, const itimerspec& spec) {
  REQUIRE(syscall(SYS_timer_settime, id, 0, &spec, nullptr) == 0);
}

itimerspec Remaining(int id) {
  itimerspec spec = {};
  REQUIRE(syscall(SYS_timer_gettime, id, &spec) == 0);
  return spec;
}

struct Armed {
  int id;
  itimerspec spec;
};

void ExpectArmed(const Armed& timer) {
  const itimerspec now = Remaining(timer.id);
  EXPECT(now.it_value.tv_sec <= timer.spec.it_value.tv_sec);
  EXPECT(now.it_value.tv_sec >= timer.spec.it_value.tv_sec - kSlackSeconds);
  EXPECT_EQUAL(now.it_interval.tv_sec, timer.spec.it_interval.tv_sec);
  EXPECT_EQUAL(now.it_interval.tv_nsec, timer.spec.it_interval.tv_nsec);
}

void ExpectDisarmed(int id) {
  const itimerspec now = Remaining(id);
  EXPECT_EQUAL(now.it_value.tv_sec, 0);
  EXPECT_EQUAL(now.it_value.tv_nsec, 0);
}

// Lines of /proc/self/timers but the process and thread ids in them, which fixed places check.
std::string TimerLines() { return FileText("/proc/self/timers"); }

struct IntervalTimer {
  __itimer_which which;
  long seconds;
  long interval_seconds;
};
constexpr IntervalTimer kIntervalTimers[] = {
    {ITIMER_REAL, kLongSeconds, 7},
    {ITIMER_VIRTUAL, 2 * kLongSeconds, 0},
    {ITIMER_PROF, 3 * kLongSeconds, 11},
};

void ArmIntervalTimers() {
  for (const IntervalTimer& timer : kIntervalTimers) {
    itimerval value = {};
    value.it_value.tv_sec = timer.seconds;
    value.it_interval.tv_sec = timer.interval_seconds;
    value.it_interval.tv_usec = 250000;
    REQUIRE(setitimer(timer.which, &value, nullptr) == 0);
  }
}

void ExpectIntervalTimers() {
  for (const IntervalTimer& timer : kIntervalTimers) {
    itimerval now = {};
    REQUIRE(getitimer(timer.which, &now) == 0);
    EXPECT(now.it_value.tv_sec <= timer.seconds);
    EXPECT(now.it_value.tv_sec >= timer.seconds - kSlackSeconds);
    EXPECT_EQUAL(now.it_interval.tv_sec, timer.interval_seconds);
    EXPECT_EQUAL(now.it_interval.tv_usec, 250000);
  }
}

// A timer that fires once, with its signal blocked: pending when the program is ready.
int LeavePending(int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
  const int id = CreateTimer(CLOCK_MONOTONIC, SIGEV_SIGNAL, signal_number, 4242);
  itimerspec at_once = {};
  at_once.it_value.tv_nsec = 1;
  Arm(id, at_once);
  sigset_t pending = {};
  while (sigismember(&pending, signal_number) != 1) REQUIRE(sigpending(&pending) == 0);
  return id;
}

void ExpectPending(int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  siginfo_t info = {};
  const timespec at_once = {};
  EXPECT_EQUAL(sigtimedwait(&set, &info, &at_once), signal_number);
  EXPECT_EQUAL(info.si_code, SI_TIMER);
  EXPECT_EQUAL(info.si_value.sival_int, 4242);
}

void ExpectPeriodicFires(int id) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  itimerspec soon = Spec(0, 0, 1000000);
  soon.it_value.tv_nsec = 1000000;
  Arm(id, soon);
  for (int times = 0; times < 3; ++times) {
    siginfo_t info = {};
    while (sigwaitinfo(&set, &info) != SIGRTMIN + 1) {
    }
    EXPECT_EQUAL(info.si_code, SI_TIMER);
    EXPECT_EQUAL(info.si_value.sival_int, 102);
  }
}

void Run() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
  ArmIntervalTimers();
  const int gap = CreateTimer(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN, 100);
  const std::vector<Armed> armed = {
      {CreateTimer(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN, 101), Spec(kLongSeconds, 0)},
      {CreateTimer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 1, 102), Spec(kLongSeconds, 5, 77)},
      {CreateTimer(CLOCK_BOOTTIME, SIGEV_THREAD_ID, SIGRTMIN + 2, 103), Spec(kLongSeconds, 9)},
      {CreateTimer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 104), Spec(kLongSeconds, 3)},
  };
  const int disarmed = CreateTimer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 4, 105);
  REQUIRE(syscall(SYS_timer_delete, gap) == 0);
  for (const Armed& timer : armed) Arm(timer.id, timer.spec);
  const int fired = LeavePending(SIGRTMIN + 5);
  const std::string lines = TimerLines();

  ReadyAndAwaitGo();

  EXPECT_SAME(TimerLines(), lines);
  ExpectIntervalTimers();
  for (const Armed& timer : armed) ExpectArmed(timer);
  ExpectDisarmed(disarmed);
  ExpectDisarmed(fired);
  ExpectPending(SIGRTMIN + 5);
  ExpectPeriodicFires(armed[1].id);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
