#include "restorer/event_file_maker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ckpt {
namespace {

FilePlan Plan(FilePlan::Kind kind, int flags = O_RDWR) {
  FilePlan file;
  file.kind = kind;
  file.place = "files.img entry id 7";
  file.flags = flags;
  return file;
}

uint64_t ReadCount(int fd) {
  uint64_t count = 0;
  return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

itimerspec TimeOf(int fd) {
  itimerspec time{};
  EXPECT_EQ(timerfd_gettime(fd, &time), 0);
  return time;
}

TEST(EventFileMakerTest, AnEventfdHasAllOfItsCounter) {
  FilePlan file = Plan(FilePlan::Kind::kEventfd);
  file.counter = 0xfffffffffffffffe;
  const UniqueFd fd = MakeEventFile(file).value();
  EXPECT_EQ(ReadCount(fd.get()), 0xfffffffffffffffe);
}

TEST(EventFileMakerTest, FlagsAreThoseOfTheDump) {
  for (const FilePlan::Kind kind : {FilePlan::Kind::kEventfd, FilePlan::Kind::kSignalfd,
                                    FilePlan::Kind::kTimerfd, FilePlan::Kind::kEpoll}) {
    const UniqueFd blocks = MakeEventFile(Plan(kind)).value();
    EXPECT_EQ(fcntl(blocks.get(), F_GETFL) & O_NONBLOCK, 0);
    const UniqueFd does_not = MakeEventFile(Plan(kind, O_RDWR | O_NONBLOCK)).value();
    EXPECT_EQ(fcntl(does_not.get(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EXPECT_EQ(fcntl(does_not.get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(EventFileMakerTest, ACounterThatNoEventfdHasIsAnError) {
  FilePlan file = Plan(FilePlan::Kind::kEventfd);
  file.counter = 0xffffffffffffffff;
  EXPECT_EQ(MakeEventFile(file).error().message,
            "files.img entry id 7: eventfd: write of 18446744073709551615: Invalid argument "
            "(EINVAL)");
}

TEST(EventFileMakerTest, ASignalfdTakesItsSignals) {
  FilePlan file = Plan(FilePlan::Kind::kSignalfd, O_RDWR | O_NONBLOCK);
  file.signal_mask = uint64_t{1} << (SIGUSR2 - 1);
  const UniqueFd fd = MakeEventFile(file).value();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  ASSERT_EQ(raise(SIGUSR2), 0);
  signalfd_siginfo info{};
  ASSERT_EQ(read(fd.get(), &info, sizeof(info)), static_cast<ssize_t>(sizeof(info)));
  EXPECT_EQ(info.ssi_signo, static_cast<uint32_t>(SIGUSR2));
  EXPECT_EQ(read(fd.get(), &info, sizeof(info)), -1);
}

TEST(EventFileMakerTest, AClockThatIsNoneIsAnError) {
  FilePlan file = Plan(FilePlan::Kind::kTimerfd);
  file.timer.clock_id = 99;
  EXPECT_EQ(MakeEventFile(file).error().message,
            "files.img entry id 7: timerfd_create(99): Invalid argument (EINVAL)");
}

TEST(EventFileMakerTest, ATimerRunsFromWhenItIsArmed) {
  FilePlan file = Plan(FilePlan::Kind::kTimerfd);
  file.timer = {.clock_id = CLOCK_BOOTTIME, .interval_nanoseconds = 5, .value_seconds = 1000};
  const UniqueFd fd = MakeEventFile(file).value();
  EXPECT_EQ(TimeOf(fd.get()).it_value.tv_sec, 0);
  ASSERT_TRUE(ArmTimerFile(fd.get(), file).has_value());
  EXPECT_GE(TimeOf(fd.get()).it_value.tv_sec, 900);
  EXPECT_EQ(TimeOf(fd.get()).it_interval.tv_nsec, 5);
}

TEST(EventFileMakerTest, AnAbsoluteTimerHasTheTimeThatWasLeft) {
  FilePlan file = Plan(FilePlan::Kind::kTimerfd);
  file.timer = {.clock_id = CLOCK_REALTIME,
                .settime_flags = TFD_TIMER_ABSTIME,
                .value_seconds = 1000,
                .value_nanoseconds = 999999999};
  const UniqueFd fd = MakeEventFile(file).value();
  ASSERT_TRUE(ArmTimerFile(fd.get(), file).has_value());
  EXPECT_GE(TimeOf(fd.get()).it_value.tv_sec, 900);
  EXPECT_LE(TimeOf(fd.get()).it_value.tv_sec, 1000);
}

TEST(EventFileMakerTest, ExpirationsThatNobodyReadAreThereAgain) {
  FilePlan file = Plan(FilePlan::Kind::kTimerfd, O_RDWR | O_NONBLOCK);
  file.timer = {.clock_id = CLOCK_MONOTONIC, .ticks = 3};
  const UniqueFd fd = MakeEventFile(file).value();
  ASSERT_TRUE(ArmTimerFile(fd.get(), file).has_value());
  EXPECT_EQ(ReadCount(fd.get()), 3U);
  EXPECT_EQ(ReadCount(fd.get()), 0U);
}

TEST(EventFileMakerTest, ATimeThatIsNoneIsAnError) {
  FilePlan file = Plan(FilePlan::Kind::kTimerfd);
  file.timer = {.value_seconds = 1, .value_nanoseconds = 1'000'000'000};
  const UniqueFd fd = MakeEventFile(file).value();
  EXPECT_EQ(ArmTimerFile(fd.get(), file).error().message,
            "files.img entry id 7: timerfd_settime(flags 0, value 1.1000000000 s, interval "
            "0.000000000 s): Invalid argument (EINVAL)");
}

}  // namespace
}  // namespace ckpt
