#include "dumper/event_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <csignal>

#include "dumper/descriptor_holder.h"

namespace ckpt {
namespace {

void ArmTimer(int fd, long value_nanoseconds, long interval_seconds) {
  itimerspec spec{};
  spec.it_value.tv_sec = value_nanoseconds / 1'000'000'000;
  spec.it_value.tv_nsec = value_nanoseconds % 1'000'000'000;
  spec.it_interval.tv_sec = interval_seconds;
  timerfd_settime(fd, 0, &spec, nullptr);
}

void Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 0xfedcba9876543210;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

TEST(EventFilesTest, AnEventfdHasItsCounterAndFlags) {
  DescriptorHolder holder([] {
    MoveTo(eventfd(0, EFD_NONBLOCK), 300);
    eventfd_write(300, uint64_t{1} << 40);
  });
  const Descriptors descriptors = holder.Collect().value();
  const pb::file_entry& file = holder.EntryOf(descriptors, 300);
  EXPECT_EQ(file.type(), pb::EVENTFD);
  EXPECT_EQ(file.efd().id(), file.id());
  EXPECT_EQ(file.efd().counter(), uint64_t{1} << 40);
  EXPECT_EQ(file.efd().flags(), uint32_t{O_RDWR | O_NONBLOCK});
  EXPECT_TRUE(file.IsInitialized());
}

TEST(EventFilesTest, ASemaphoreIsRefusedWhereTheKernelTells) {
  DescriptorHolder holder([] { MoveTo(eventfd(3, EFD_SEMAPHORE), 300); });
  static_cast<void>(holder.Collect().value());
  const FdInfo info = [] {
    const UniqueFd fd(eventfd(0, EFD_CLOEXEC));
    return ReadFdInfo(getpid(), fd.get()).value();
  }();
  if (info.details.size() < 3) GTEST_SKIP() << "the kernel is older than 6.5";
  ASSERT_EQ(holder.refusals.findings().size(), 1U);
  EXPECT_EQ(holder.refusals.findings()[0],
            "fd 300 is anon_inode:[eventfd]: it is a semaphore (EFD_SEMAPHORE), for which the "
            "format has no place");
}

TEST(EventFilesTest, ASignalfdHasItsMask) {
  DescriptorHolder holder([] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGRTMAX);
    MoveTo(signalfd(-1, &set, 0), 300);
  });
  const Descriptors descriptors = holder.Collect().value();
  const pb::file_entry& file = holder.EntryOf(descriptors, 300);
  EXPECT_EQ(file.type(), pb::SIGNALFD);
  EXPECT_EQ(file.sgfd().sigmask(), 0x8000000000000001U);
  EXPECT_TRUE(file.IsInitialized());
}

TEST(EventFilesTest, ATimerfdHasTheTimeThatIsLeft) {
  DescriptorHolder holder([] {
    MoveTo(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK), 300);
    ArmTimer(300, 1'000'000'000'000, 7);
  });
  const Descriptors descriptors = holder.Collect().value();
  const pb::file_entry& file = holder.EntryOf(descriptors, 300);
  EXPECT_EQ(file.type(), pb::TIMERFD);
  EXPECT_EQ(file.tfd().clockid(), uint32_t{CLOCK_BOOTTIME});
  EXPECT_GE(file.tfd().vsec(), 900U);
  EXPECT_LT(file.tfd().vsec(), 1000U);
  EXPECT_EQ(file.tfd().isec(), 7U);
  EXPECT_EQ(file.tfd().ticks(), 0U);
  EXPECT_TRUE(file.IsInitialized());
}

TEST(EventFilesTest, APeriodicTimerThatExpiredUnreadIsOneThatRuns) {
  DescriptorHolder holder([] {
    MoveTo(timerfd_create(CLOCK_MONOTONIC, 0), 300);
    ArmTimer(300, 1, 1000);
    pollfd query{300, POLLIN, 0};
    poll(&query, 1, -1);
  });
  const Descriptors descriptors = holder.Collect().value();
  const pb::timerfd_entry& timer = holder.EntryOf(descriptors, 300).tfd();
  EXPECT_EQ(timer.ticks(), 1U);
  EXPECT_GE(timer.vsec(), 900U);
}

TEST(EventFilesTest, AnEpollHasWhatItWatches) {
  DescriptorHolder holder([] {
    MoveTo(epoll_create1(0), 300);
    MoveTo(eventfd(0, 0), 301);
    Watch(300, 301);
  });
  const Descriptors descriptors = holder.Collect().value();
  const pb::file_entry& file = holder.EntryOf(descriptors, 300);
  EXPECT_EQ(file.type(), pb::EVENTPOLL);
  ASSERT_EQ(file.epfd().tfd_size(), 1);
  const pb::eventpoll_tfd_entry& watch = file.epfd().tfd(0);
  EXPECT_EQ(watch.id(), file.id());
  EXPECT_EQ(watch.tfd(), 301U);
  EXPECT_EQ(watch.events(), uint32_t{EPOLLIN | EPOLLERR | EPOLLHUP});
  EXPECT_EQ(watch.data(), 0xfedcba9876543210U);
  EXPECT_NE(watch.inode(), 0U);
  EXPECT_TRUE(file.IsInitialized());
  EXPECT_TRUE(holder.refusals.findings().empty()) << holder.refusals.findings()[0];
}

TEST(EventFilesTest, AWatchedFileThatIsNotAtItsNumberIsRefused) {
  DescriptorHolder holder([] {
    MoveTo(epoll_create1(0), 300);
    MoveTo(eventfd(0, 0), 301);
    MoveTo(eventfd(0, 0), 302);
    Watch(300, 301);
    Watch(300, 302);
    dup2(301, 303);
    close(301);  // still watched: 303 is the same description
    dup2(302, 304);
    MoveTo(eventfd(0, 0), 302);
  });
  static_cast<void>(holder.Collect().value());
  ASSERT_EQ(holder.refusals.findings().size(), 2U);
  EXPECT_EQ(holder.refusals.findings()[0],
            "fd 300 is anon_inode:[eventpoll]: it watches a file that was fd 301, which is closed");
  EXPECT_EQ(holder.refusals.findings()[1],
            "fd 300 is anon_inode:[eventpoll]: it watches a file that was fd 302, which is another "
            "file now");
}

}  // namespace
}  // namespace ckpt
