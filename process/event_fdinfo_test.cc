#include "process/event_fdinfo.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "process/fdinfo.h"

namespace ckpt {
namespace {

std::vector<std::string> DetailsOf(const UniqueFd& fd) {
  return ReadFdInfo(getpid(), fd.get()).value().details;
}

TEST(EventFdinfoTest, TheCountOfAnEventfdIsHexadecimal) {
  const UniqueFd fd(eventfd(0x1234, EFD_CLOEXEC));
  EXPECT_EQ(ParseEventfd(DetailsOf(fd)).value().count, 0x1234U);
  EXPECT_FALSE(ParseEventfd(DetailsOf(fd)).value().is_semaphore);
}

TEST(EventFdinfoTest, ASemaphoreIsTold) {
  EXPECT_TRUE(ParseEventfd({"eventfd-count:                1", "eventfd-semaphore: 1"})
                  .value()
                  .is_semaphore);
  EXPECT_FALSE(ParseEventfd({"eventfd-count:                1", "eventfd-semaphore: 0"})
                   .value()
                   .is_semaphore);
}

TEST(EventFdinfoTest, TheMaskOfASignalfdHasTheSignalsItTakes) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGRTMAX);
  const UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC));
  EXPECT_EQ(ParseSignalfdMask(DetailsOf(fd)).value(), 0x8000000000000001U);
}

TEST(EventFdinfoTest, ATimerfdHasItsClockFlagsAndTimes) {
  const TimerfdState state = ParseTimerfd({"clockid: 7", "ticks: 3", "settime flags: 01",
                                           "it_value: (12, 999999999)", "it_interval: (2, 5)"})
                                 .value();
  EXPECT_EQ(state.clock_id, 7);
  EXPECT_EQ(state.ticks, 3U);
  EXPECT_EQ(state.settime_flags, 1U);
  EXPECT_EQ(state.value.seconds, 12U);
  EXPECT_EQ(state.value.nanoseconds, 999999999U);
  EXPECT_EQ(state.interval.seconds, 2U);
  EXPECT_EQ(state.interval.nanoseconds, 5U);
}

TEST(EventFdinfoTest, TheKernelsTimerfdIsRead) {
  const UniqueFd fd(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC));
  itimerspec spec{};
  spec.it_value.tv_sec = 1000;
  spec.it_interval.tv_nsec = 77;
  ASSERT_EQ(timerfd_settime(fd.get(), 0, &spec, nullptr), 0);
  const TimerfdState state = ParseTimerfd(DetailsOf(fd)).value();
  EXPECT_EQ(state.clock_id, CLOCK_BOOTTIME);
  EXPECT_EQ(state.value.seconds, 999U);
  EXPECT_EQ(state.interval.nanoseconds, 77U);
}

TEST(EventFdinfoTest, TheWatchesOfAnEpollAreRead) {
  const UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  const UniqueFd watched(eventfd(0, EFD_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = 0xfedcba9876543210;
  ASSERT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, watched.get(), &event), 0);
  const auto watches = ParseEpollWatches(DetailsOf(epoll)).value();
  ASSERT_EQ(watches.size(), 1U);
  EXPECT_EQ(watches[0].fd, watched.get());
  EXPECT_EQ(watches[0].events, EPOLLIN | EPOLLET | EPOLLERR | EPOLLHUP);
  EXPECT_EQ(watches[0].data, 0xfedcba9876543210U);
  EXPECT_NE(watches[0].inode, 0U);
}

TEST(EventFdinfoTest, WatchesAreInTheOrderOfTheirNumbers) {
  const auto watches = ParseEpollWatches({"tfd:  5 events: 1 data: 1 pos:0 ino:1 sdev:2",
                                          "tfd:  4 events: 1 data: 2 pos:0 ino:1 sdev:2",
                                          "tfd:  5 events: 1 data: 0 pos:0 ino:1 sdev:2"})
                           .value();
  ASSERT_EQ(watches.size(), 3U);
  EXPECT_EQ(watches[0].fd, 4);
  EXPECT_EQ(watches[1].data, 1U);
  EXPECT_EQ(watches[2].data, 0U);
}

TEST(EventFdinfoTest, OldKernelsSayLessOfAWatch) {
  const auto watches = ParseEpollWatches({"tfd:        5 events:       1d data: ff"}).value();
  ASSERT_EQ(watches.size(), 1U);
  EXPECT_EQ(watches[0].fd, 5);
  EXPECT_EQ(watches[0].inode, 0U);
}

TEST(EventFdinfoTest, WhatDoesNotParseIsNamed) {
  EXPECT_EQ(ParseEventfd({}).error().message, "no line \"eventfd-count:\"");
  EXPECT_EQ(ParseEventfd({"eventfd-count: x"}).error().message, "cannot read \"eventfd-count: x\"");
  EXPECT_EQ(ParseTimerfd({"clockid: 4294967296"}).error().message,
            "cannot read \"clockid: 4294967296\"");
  EXPECT_EQ(ParseTimerfd({"clockid: 0", "ticks: 0", "settime flags: 00", "it_value: (1 2)"})
                .error()
                .message,
            "cannot read \"it_value: (1 2)\"");
  EXPECT_EQ(ParseEpollWatches({"tfd: 1 events: 1"}).error().message,
            "cannot read \"tfd: 1 events: 1\"");
}

}  // namespace
}  // namespace ckpt
