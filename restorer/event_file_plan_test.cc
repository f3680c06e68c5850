#include "restorer/event_file_plan.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "restorer/plan_builder.h"
#include "restorer/sample_images.h"

namespace ckpt {
namespace {

// The sample with files of id 7 and so on, each at the descriptor of that number.
class EventFilePlanTest : public testing::Test {
 protected:
  pb::file_entry& Add(pb::fd_types type) {
    const auto id = static_cast<uint32_t>(7 + images_.files.size() - 2);
    pb::file_entry& file = images_.files.emplace_back();
    file.set_type(type);
    file.set_id(id);
    AddDescriptor(id, id);
    return file;
  }
  void AddDescriptor(uint32_t number, uint32_t id) {
    pb::fdinfo_entry& fd = images_.tasks.front().descriptors.emplace_back();
    fd.set_fd(number);
    fd.set_id(id);
    fd.set_flags(0);
    fd.set_type(pb::UND);
  }
  void AddWatch(pb::file_entry& epoll, uint32_t number) {
    pb::eventpoll_tfd_entry& watch = *epoll.mutable_epfd()->add_tfd();
    watch.set_id(epoll.id());
    watch.set_tfd(number);
    watch.set_events(0x1d);
    watch.set_data(0xfedcba9876543210);
  }
  RestorePlan Plan() { return BuildRestorePlan(images_).value(); }
  std::string Error() {
    const auto plan = BuildRestorePlan(images_);
    return plan.has_error() ? plan.error().message : "";
  }

  DumpImages images_ = SampleImages();
};

TEST_F(EventFilePlanTest, WhatTheDumpSaysOfAnEventfdIsKept) {
  pb::eventfd_file_entry& entry = *Add(pb::EVENTFD).mutable_efd();
  entry.set_flags(O_RDWR | O_NONBLOCK);
  entry.set_counter(uint64_t{1} << 40);
  entry.mutable_fown()->set_pid(42);
  const RestorePlan plan = Plan();
  const FilePlan& file = plan.files.at(7);
  EXPECT_EQ(file.kind, FilePlan::Kind::kEventfd);
  EXPECT_EQ(file.place, "files.img entry id 7");
  EXPECT_EQ(file.flags, O_RDWR | O_NONBLOCK);
  EXPECT_EQ(file.counter, uint64_t{1} << 40);
  ASSERT_TRUE(file.owner.has_value());
  EXPECT_EQ(file.owner->pid, 42);
}

TEST_F(EventFilePlanTest, ASignalfdHasItsMask) {
  Add(pb::SIGNALFD).mutable_sgfd()->set_sigmask(0x8000000000000001);
  EXPECT_EQ(Plan().files.at(7).kind, FilePlan::Kind::kSignalfd);
  EXPECT_EQ(Plan().files.at(7).signal_mask, 0x8000000000000001U);
}

TEST_F(EventFilePlanTest, ATimerfdHasItsTime) {
  pb::timerfd_entry& entry = *Add(pb::TIMERFD).mutable_tfd();
  entry.set_clockid(7);
  entry.set_settime_flags(1);
  entry.set_ticks(2);
  entry.set_vsec(3);
  entry.set_vnsec(4);
  entry.set_isec(5);
  entry.set_insec(6);
  const TimerFilePlan timer = Plan().files.at(7).timer;
  EXPECT_EQ(timer.clock_id, 7);
  EXPECT_EQ(timer.settime_flags, 1);
  EXPECT_EQ(timer.ticks, 2U);
  EXPECT_EQ(timer.value_seconds, 3U);
  EXPECT_EQ(timer.value_nanoseconds, 4U);
  EXPECT_EQ(timer.interval_seconds, 5U);
  EXPECT_EQ(timer.interval_nanoseconds, 6U);
}

TEST_F(EventFilePlanTest, APeriodicTimerThatWasDumpedExpiredGoesOn) {
  pb::timerfd_entry& entry = *Add(pb::TIMERFD).mutable_tfd();
  entry.set_isec(5);
  EXPECT_FALSE(Plan().files.at(7).timer.IsArmed());  // never expired: nobody armed it
  entry.set_ticks(1);
  EXPECT_EQ(Plan().files.at(7).timer.value_seconds, 5U);
}

TEST_F(EventFilePlanTest, AnEpollIsSetUpOnceThoughTwoDescriptorsHaveIt) {
  pb::file_entry& epoll = Add(pb::EVENTPOLL);
  AddWatch(epoll, 8);
  AddWatch(epoll, 9);
  AddDescriptor(9, 7);
  Add(pb::EVENTFD).mutable_efd();
  const RestorePlan plan = Plan();
  const std::vector<EpollPlan>& epolls = plan.tasks.front().epolls;
  ASSERT_EQ(epolls.size(), 1U);
  EXPECT_EQ(epolls[0].fd, 7);
  ASSERT_EQ(epolls[0].watches.size(), 2U);
  EXPECT_EQ(epolls[0].watches[1].fd, 9);
  EXPECT_EQ(epolls[0].watches[1].events, 0x1dU);
  EXPECT_EQ(epolls[0].watches[1].data, 0xfedcba9876543210U);
}

TEST_F(EventFilePlanTest, AWatchedDescriptorMustBeThere) {
  AddWatch(Add(pb::EVENTPOLL), 30);
  EXPECT_EQ(Error(), "files.img entry id 7: watches descriptor 30, which process 42 does not have");
}

TEST_F(EventFilePlanTest, AnEntryMustHoldTheMessageOfItsType) {
  for (const pb::fd_types type : {pb::EVENTFD, pb::SIGNALFD, pb::TIMERFD, pb::EVENTPOLL}) {
    images_ = SampleImages();
    Add(type);
    EXPECT_EQ(Error(), fmt::format("files.img entry id 7: is said to be {}, but holds no such "
                                   "message",
                                   pb::fd_types_Name(type)));
  }
}

}  // namespace
}  // namespace ckpt
