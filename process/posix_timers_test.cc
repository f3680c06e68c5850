#include "process/posix_timers.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <string_view>

namespace ckpt {
namespace {

constexpr std::string_view kTimers =
    "ID: 1\n"
    "signal: 60/00007fff86e452a8\n"
    "notify: signal/pid.2634\n"
    "ClockID: 0\n"
    "ID: 0\n"
    "signal: 0/0000000000000000\n"
    "notify: none/tid.2635\n"
    "ClockID: -6\n";

TEST(PosixTimersTest, FourLinesAreATimer) {
  const auto timers = ParsePosixTimers(kTimers);
  ASSERT_TRUE(timers.has_value()) << timers.error().message;
  EXPECT_EQ(timers.value(), (std::vector<PosixTimer>{
                                {1, 60, 0x7fff86e452a8, SIGEV_SIGNAL, 2634, CLOCK_REALTIME},
                                {0, 0, 0, SIGEV_NONE | SIGEV_THREAD_ID, 2635, -6},
                            }));
  EXPECT_TRUE(ParsePosixTimers("").value().empty());
}

TEST(PosixTimersTest, ALineThatIsNoneIsNamed) {
  EXPECT_EQ(ParsePosixTimers("ID: 1\nsignal: 60\n").error().message,
            "line 2: found \"signal: 60\", expected \"signal: N/VALUE\"");
  EXPECT_EQ(ParsePosixTimers("ID: x\n").error().message,
            "line 1: found \"ID: x\", expected \"ID: N\"");
  EXPECT_EQ(ParsePosixTimers("ID: 1\nsignal: 1/0\nnotify: pipe/pid.1\n").error().message,
            "line 3: found \"notify: pipe/pid.1\", expected \"notify: KIND/pid.N\"");
  EXPECT_EQ(ParsePosixTimers("ID: 1\nsignal: 1/0\nnotify: signal/pid.1\n").error().message,
            "line 4: found \"\", expected \"ClockID: N\"");
}

class LivePosixTimersTest : public ::testing::Test {
 protected:
  // The kernel's own number of the timer, which libc hides.
  int Create(clockid_t clock, int notify, int signal, uintptr_t value, pid_t tid = 0) {
    sigevent event{};
    event.sigev_notify = notify;
    event.sigev_signo = signal;
    event.sigev_value.sival_ptr = reinterpret_cast<void*>(value);
    event._sigev_un._tid = tid;
    int id = -1;
    EXPECT_EQ(syscall(SYS_timer_create, clock, &event, &id), 0);
    ids_.push_back(id);
    return id;
  }
  void TearDown() override {
    for (const int id : ids_) syscall(SYS_timer_delete, id);
  }

  std::vector<int> ids_;
};

TEST_F(LivePosixTimersTest, OurOwnTimersAreListed) {
  const int by_signal = Create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 0xdeadbeef12345678);
  const int silent = Create(CLOCK_REALTIME, SIGEV_NONE, 0, 0);
  const int to_thread = Create(CLOCK_BOOTTIME, SIGEV_THREAD_ID, SIGUSR1, 5, gettid());
  const auto read = ReadPosixTimers(getpid());
  ASSERT_TRUE(read.has_value()) << read.error().message;
  std::vector<PosixTimer> timers = read.value();
  std::ranges::sort(timers, {}, &PosixTimer::id);
  EXPECT_EQ(timers,
            (std::vector<PosixTimer>{
                {by_signal, SIGRTMIN, 0xdeadbeef12345678, SIGEV_SIGNAL, getpid(), CLOCK_MONOTONIC},
                {silent, 0, 0, SIGEV_NONE, getpid(), CLOCK_REALTIME},
                {to_thread, SIGUSR1, 5, SIGEV_SIGNAL | SIGEV_THREAD_ID, gettid(), CLOCK_BOOTTIME},
            }));
}

}  // namespace
}  // namespace ckpt
