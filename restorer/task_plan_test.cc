#include "restorer/task_plan.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "restorer/sample_images.h"

namespace ckpt {
namespace {

class TaskPlanTest : public testing::Test {
 protected:
  TaskPlan Make() {
    FilePlanner files(images_, plan_, findings_);
    return PlanTask(images_.tasks.front(), files, {}, findings_);
  }
  TaskPlan Plan() {
    TaskPlan plan = Make();
    EXPECT_TRUE(findings_.empty()) << findings_.AsResult().error().message;
    return plan;
  }
  std::string Error() {
    Make();
    return findings_.empty() ? "" : findings_.AsResult().error().message;
  }
  TaskImages& task() { return images_.tasks.front(); }
  pb::task_core_entry& process() { return *task().threads.front().mutable_tc(); }
  void AddDescriptor(uint32_t fd, uint32_t file_id) {
    pb::fdinfo_entry& entry = task().descriptors.emplace_back();
    entry.set_fd(fd);
    entry.set_id(file_id);
    entry.set_flags(1);
    entry.set_type(pb::REG);
  }

  DumpImages images_ = SampleImages();
  RestorePlan plan_;
  Findings findings_;
};

TEST_F(TaskPlanTest, SignalActionsSkipKillAndStop) {
  process().mutable_sigactions(8)->set_sigaction(0x1234);  // the ninth that is there
  const TaskPlan plan = Plan();
  ASSERT_EQ(plan.signal_actions.size(), 62U);
  EXPECT_EQ(plan.signal_actions[7].signal, 8);
  EXPECT_EQ(plan.signal_actions[8].signal, 10);
  EXPECT_EQ(plan.signal_actions[8].handler, 0x1234U);
  EXPECT_EQ(plan.signal_actions[61].signal, 64);
  for (const SignalActionPlan& action : plan.signal_actions) EXPECT_NE(action.signal, SIGSTOP);
}

TEST_F(TaskPlanTest, ADifferentNumberOfSignalActionsIsAnError) {
  process().mutable_sigactions()->RemoveLast();
  EXPECT_EQ(Error(), "core-42.img: 61 signal actions, 62 are needed");
}

TEST_F(TaskPlanTest, AStoppedProcessStaysStopped) {
  EXPECT_EQ(Plan().state, TaskPlan::State::kAlive);
  process().set_task_state(3);
  EXPECT_EQ(Plan().state, TaskPlan::State::kStopped);
}

TEST_F(TaskPlanTest, AZombieHasAnEndAndANameAndNothingElse) {
  task().tree.set_ppid(41);
  task().mm.reset();
  task().fs.reset();
  task().ids.reset();
  process().set_task_state(2);
  process().set_exit_code(3 << 8);
  const TaskPlan plan = Plan();
  EXPECT_EQ(plan.state, TaskPlan::State::kZombie);
  EXPECT_FALSE(plan.IsLive());
  EXPECT_EQ(plan.ppid, 41);
  EXPECT_EQ(plan.exit_status, 3 << 8);
  EXPECT_EQ(plan.threads.front().comm, "sample");
}

TEST_F(TaskPlanTest, AZombieThatHasNotEndedIsAnError) {
  task().tree.set_ppid(41);
  process().set_task_state(2);
  process().set_exit_code(0x137f);
  EXPECT_EQ(Error(), "core-42.img: a zombie with the status 0x137f, which is no end");
}

TEST_F(TaskPlanTest, NobodyDiesOfAHarmlessSignal) {
  task().tree.set_ppid(41);
  process().set_task_state(2);
  process().set_exit_code(SIGCHLD);
  EXPECT_EQ(Error(), "core-42.img: a zombie with the status 0x11, which is no end");
}

TEST_F(TaskPlanTest, TheFirstProcessIsNoZombie) {
  process().set_task_state(2);
  EXPECT_EQ(Error(), "core-42.img: the first process is a zombie, which is not supported");
}

TEST_F(TaskPlanTest, TheLeaderComesFirst) {
  task().tree.set_threads(0, 43);
  EXPECT_EQ(Error(), "pstree.img: the first thread of process 42 is not 42");
}

TEST_F(TaskPlanTest, OnlyTheLeaderHasAProcess) {
  task().tree.add_threads(43);
  task().threads.push_back(task().threads.front());
  EXPECT_EQ(Error(), "core-43.img: tc is there, in a thread that is not the leader");
}

TEST_F(TaskPlanTest, AnImageThatIsMissingIsNamed) {
  task().mm.reset();
  task().fs.reset();
  task().ids.reset();
  EXPECT_EQ(Error(), "ids-42.img: is missing\nmm-42.img: is missing\nfs-42.img: is missing");
}

TEST_F(TaskPlanTest, DescriptorsAreInOrder) {
  AddDescriptor(7, kSampleExeId);
  AddDescriptor(3, kSampleDirectoryId);
  const TaskPlan plan = Plan();
  ASSERT_EQ(plan.descriptors.size(), 2U);
  EXPECT_EQ(plan.descriptors[0].fd, 3);
  EXPECT_TRUE(plan.descriptors[0].close_on_exec);
}

TEST_F(TaskPlanTest, ADescriptorThatIsThereTwiceIsAnError) {
  AddDescriptor(3, kSampleExeId);
  AddDescriptor(3, kSampleDirectoryId);
  EXPECT_EQ(Error(), "fdinfo-2.img: descriptor 3 is there twice");
}

TEST_F(TaskPlanTest, AnImpossibleDescriptorIsAnError) {
  AddDescriptor(0x80000000, kSampleExeId);
  EXPECT_EQ(Error(), "fdinfo-2.img: descriptor 2147483648: the highest possible is 1073741823");
}

TEST_F(TaskPlanTest, TimersAreByTheirId) {
  for (const uint32_t id : {5, 2}) {
    pb::posix_timer_entry& timer = *process().mutable_timers()->add_posix();
    timer.set_it_id(id);
    timer.set_vsec(1);
  }
  const TaskPlan plan = Plan();
  ASSERT_EQ(plan.posix_timers.size(), 2U);
  EXPECT_EQ(plan.posix_timers[0].id, 2);
  EXPECT_TRUE(plan.posix_timers[0].IsArmed());
}

TEST_F(TaskPlanTest, LegacyImagesAreRefusedByWhatTheyLack) {
  process().clear_timers();
  process().clear_rlimits();
  EXPECT_EQ(Error(),
            "core-42.img: tc.timers is missing: an image from before CRIU 2.0\n"
            "core-42.img: tc.rlimits is missing: an image from before CRIU 2.0");
}

}  // namespace
}  // namespace ckpt
