// Files that tell of events: eventfd, signalfd, timerfd and epoll, with what they have counted.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr long kLongSeconds = 100000;  // nothing that is armed so may expire during the test
constexpr long kSlackSeconds = 600;    // what a dump and a restore may take

bool IsReadable(int fd) {
  pollfd query = {fd, POLLIN, 0};
  REQUIRE(poll(&query, 1, 0) >= 0);
  return (query.revents & POLLIN) != 0;
}

// What a read of 8 bytes gives, as eventfds and timerfds have it.
uint64_t ReadCount(int fd) {
  uint64_t count = 0;
  return read(fd, &count, sizeof(count)) == sizeof(count) ? count : ~0ULL;
}

struct Eventfds {
  int plain = eventfd(7, 0);
  int nonblocking = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  int shared = dup(plain);
};

void ExpectEventfds(const Eventfds& fds) {
  EXPECT_EQUAL(ReadCount(fds.nonblocking), ~0ULL);  // empty, and does not block
  EXPECT_EQUAL(fcntl(fds.nonblocking, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQUAL(fcntl(fds.nonblocking, F_GETFD), FD_CLOEXEC);
  EXPECT_EQUAL(fcntl(fds.plain, F_GETOWN), getpid());
  EXPECT_EQUAL(ReadCount(fds.shared), 7);
  EXPECT(!IsReadable(fds.plain));
  REQUIRE(eventfd_write(fds.plain, 5) == 0);
  EXPECT_EQUAL(ReadCount(fds.shared), 5);
}

sigset_t SetOf(const std::vector<int>& signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  return set;
}

// Signals that are blocked, so that a signalfd has them.
int CreateSignalfd() {
  const sigset_t set = SetOf({SIGUSR2, SIGRTMIN + 3, SIGRTMAX});
  REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  REQUIRE(fd >= 0);
  REQUIRE(kill(getpid(), SIGRTMAX) == 0);
  return fd;
}

void ExpectSignal(int fd, int number) {
  signalfd_siginfo info = {};
  EXPECT_EQUAL(read(fd, &info, sizeof(info)), sizeof(info));
  EXPECT_EQUAL(info.ssi_signo, number);
}

void ExpectSignalfd(int fd) {
  EXPECT_EQUAL(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  ExpectSignal(fd, SIGRTMAX);  // pending since before
  REQUIRE(kill(getpid(), SIGUSR2) == 0);
  ExpectSignal(fd, SIGUSR2);
  REQUIRE(kill(getpid(), SIGRTMIN + 3) == 0);
  ExpectSignal(fd, SIGRTMIN + 3);
  const sigset_t other = SetOf({SIGRTMIN + 4});
  REQUIRE(sigprocmask(SIG_BLOCK, &other, nullptr) == 0);
  REQUIRE(kill(getpid(), SIGRTMIN + 4) == 0);
  EXPECT(!IsReadable(fd));
}

itimerspec Spec(long value_seconds, long interval_seconds, long interval_nanoseconds = 0) {
  itimerspec spec = {};
  spec.it_value.tv_sec = value_seconds;
  spec.it_interval.tv_sec = interval_seconds;
  spec.it_interval.tv_nsec = interval_nanoseconds;
  return spec;
}

int CreateTimerfd(clockid_t clock, const itimerspec& spec, int settime_flags = 0) {
  const int fd = timerfd_create(clock, 0);
  REQUIRE(fd >= 0);
  REQUIRE(timerfd_settime(fd, settime_flags, &spec, nullptr) == 0);
  return fd;
}

itimerspec AtOnce(long interval_seconds) {
  itimerspec spec = Spec(0, interval_seconds);
  spec.it_value.tv_nsec = 1;
  return spec;
}

itimerspec At(clockid_t clock, long seconds_from_now) {
  timespec now = {};
  REQUIRE(clock_gettime(clock, &now) == 0);
  return Spec(now.tv_sec + seconds_from_now, 0);
}

void AwaitReadable(int fd) {
  pollfd query = {fd, POLLIN, 0};
  while (poll(&query, 1, -1) != 1) {
  }
}

// The lines of /proc/self/fdinfo that do not change as time goes by.
std::string TimerLines(int fd) {
  const std::string text = FileText("/proc/self/fdinfo/" + std::to_string(fd));
  std::string lines;
  for (const char* name : {"clockid:", "settime flags:", "it_interval:"}) {
    const size_t start = text.find(name);
    if (start != std::string::npos) lines += text.substr(start, text.find('\n', start) - start + 1);
  }
  return lines;
}

struct Timerfds {
  int monotonic = CreateTimerfd(CLOCK_MONOTONIC, Spec(kLongSeconds, 5, 77));
  int boot_time = CreateTimerfd(CLOCK_BOOTTIME, Spec(kLongSeconds, 0));
  int absolute = CreateTimerfd(CLOCK_REALTIME, At(CLOCK_REALTIME, kLongSeconds),
                               TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
  int disarmed = CreateTimerfd(CLOCK_REALTIME, Spec(0, 0));
  int expired = CreateTimerfd(CLOCK_MONOTONIC, AtOnce(0));
};

void ExpectRunning(int fd) {
  itimerspec now = {};
  REQUIRE(timerfd_gettime(fd, &now) == 0);
  EXPECT(now.it_value.tv_sec <= kLongSeconds);
  EXPECT(now.it_value.tv_sec >= kLongSeconds - kSlackSeconds);
}

void ExpectTimerfds(const Timerfds& fds) {
  for (const int fd : {fds.monotonic, fds.boot_time, fds.absolute}) {
    ExpectRunning(fd);
    EXPECT(!IsReadable(fd));
  }
  itimerspec now = {};
  REQUIRE(timerfd_gettime(fds.disarmed, &now) == 0);
  EXPECT_EQUAL(now.it_value.tv_sec + now.it_value.tv_nsec, 0);
  EXPECT(IsReadable(fds.expired));
  EXPECT_EQUAL(ReadCount(fds.expired), 1);
  itimerspec soon = AtOnce(0);
  soon.it_interval.tv_nsec = 1000000;
  REQUIRE(timerfd_settime(fds.monotonic, 0, &soon, nullptr) == 0);
  for (int times = 0; times < 3; ++times) EXPECT(ReadCount(fds.monotonic) >= 1);
}

// A number that nothing else has here.
constexpr uint64_t DataOf(uint64_t number) { return 0xfeed000000000000 | number; }

void Watch(int epoll, int fd, uint32_t events, uint64_t number) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = DataOf(number);
  REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

// What the epoll has to tell now: events by data.
std::map<uint64_t, uint32_t> Events(int epoll) {
  epoll_event events[16] = {};
  const int count = epoll_wait(epoll, events, 16, 0);
  REQUIRE(count >= 0);
  std::map<uint64_t, uint32_t> found;
  for (int i = 0; i < count; ++i) found[events[i].data.u64] = events[i].events;
  return found;
}

// The lines of /proc/self/fdinfo with the watches, sorted (the kernel orders them by address), and
// without inode numbers.
std::string Watches(int epoll) {
  const std::string text = FileText("/proc/self/fdinfo/" + std::to_string(epoll));
  std::set<std::string> lines;
  for (size_t start = text.find("tfd:"); start != std::string::npos;
       start = text.find("tfd:", start + 1)) {
    lines.insert(text.substr(start, text.find(" pos:", start) - start));
  }
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

struct Epolls {
  Epolls(const Eventfds& eventfds, int signal, const Timerfds& timers) {
    REQUIRE(outer >= 0 && inner >= 0 && pipe(ends) == 0);
    Watch(outer, eventfds.nonblocking, EPOLLIN, 1);
    Watch(outer, signal, EPOLLIN, 2);
    Watch(outer, timers.monotonic, EPOLLIN, 3);
    Watch(outer, inner, EPOLLIN, 4);
    Watch(inner, ends[0], EPOLLIN | EPOLLRDHUP, 5);
    Watch(inner, ends[1], EPOLLOUT | EPOLLET, 6);
    Watch(inner, eventfds.nonblocking, EPOLLIN | EPOLLONESHOT, 7);
    EXPECT_EQUAL(Events(inner)[DataOf(6)], EPOLLOUT);
  }
  int outer = epoll_create1(EPOLL_CLOEXEC);
  int inner = epoll_create1(0);
  int shared = dup(outer);
  int ends[2] = {-1, -1};
};

void ExpectEpolls(const Epolls& fds, const Eventfds& eventfds) {
  EXPECT_EQUAL(fcntl(fds.outer, F_GETFD), FD_CLOEXEC);
  Events(fds.inner);  // an edge-triggered watch tells once more after it is added
  EXPECT_EQUAL(Events(fds.inner).size(), 0);
  REQUIRE(write(fds.ends[1], "x", 1) == 1);
  EXPECT_EQUAL(Events(fds.inner)[DataOf(5)], EPOLLIN);
  EXPECT_EQUAL(Events(fds.shared)[DataOf(4)], EPOLLIN);
  REQUIRE(eventfd_write(eventfds.nonblocking, 1) == 0);
  EXPECT_EQUAL(Events(fds.outer)[DataOf(1)], EPOLLIN);
  EXPECT_EQUAL(Events(fds.inner).count(DataOf(7)), 1);
  EXPECT_EQUAL(Events(fds.inner).count(DataOf(7)), 0);  // once
  REQUIRE(kill(getpid(), SIGUSR2) == 0);
  EXPECT_EQUAL(Events(fds.outer)[DataOf(2)], EPOLLIN);
  EXPECT_EQUAL(ReadCount(eventfds.nonblocking), 1);
}

void Run() {
  const Eventfds eventfds;
  REQUIRE(eventfds.plain >= 0 && eventfds.nonblocking >= 0 && eventfds.shared >= 0);
  REQUIRE(fcntl(eventfds.plain, F_SETOWN, getpid()) == 0);
  const int signal = CreateSignalfd();
  const Timerfds timers;
  AwaitReadable(timers.expired);
  const Epolls epolls(eventfds, signal, timers);
  const std::string timer_lines = TimerLines(timers.monotonic) + TimerLines(timers.boot_time) +
                                  TimerLines(timers.absolute) + TimerLines(timers.disarmed);
  const std::string watches = Watches(epolls.outer) + Watches(epolls.inner);

  ReadyAndAwaitGo();

  EXPECT_SAME(TimerLines(timers.monotonic) + TimerLines(timers.boot_time) +
                  TimerLines(timers.absolute) + TimerLines(timers.disarmed),
              timer_lines);
  EXPECT_SAME(Watches(epolls.outer) + Watches(epolls.inner), watches);
  ExpectSignalfd(signal);
  ExpectEpolls(epolls, eventfds);
  ExpectEventfds(eventfds);
  ExpectTimerfds(timers);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
