#include "restorer/thread_plan.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <string>

#include "restorer/sample_images.h"

namespace ckpt {
namespace {

class ThreadPlanTest : public testing::Test {
 protected:
  ThreadPlan Plan() {
    ThreadPlan plan = PlanThread(core_, 43, findings_);
    EXPECT_TRUE(findings_.empty()) << findings_.AsResult().error().message;
    return plan;
  }
  std::string Error() {
    PlanThread(core_, 43, findings_);
    return findings_.empty() ? "" : findings_.AsResult().error().message;
  }
  pb::thread_core_entry& thread() { return *core_.mutable_thread_core(); }

  pb::core_entry core_ = SampleThread();
  Findings findings_;
};

TEST_F(ThreadPlanTest, RegistersAreThoseOfAThreadOutsideOfASystemCall) {
  core_.mutable_thread_info()->mutable_gpregs()->set_orig_ax(230);
  core_.mutable_thread_info()->mutable_gpregs()->set_ax(5);
  core_.mutable_thread_info()->mutable_gpregs()->set_fs_base(0x7000);
  const ThreadPlan plan = Plan();
  EXPECT_EQ(plan.tid, 43);
  EXPECT_EQ(plan.registers.orig_rax, ~0ULL);
  EXPECT_EQ(plan.registers.rax, 5U);
  EXPECT_EQ(plan.registers.rip, 0x400000U);
  EXPECT_EQ(plan.registers.fs_base, 0x7000U);
}

TEST_F(ThreadPlanTest, AnotherProcessorIsRefusedByName) {
  core_.set_mtype(pb::core_entry::AARCH64);
  EXPECT_EQ(Error(), "core-43.img: registers of AARCH64, this machine is X86_64");
}

TEST_F(ThreadPlanTest, MissingPartsAreNamed) {
  core_.clear_thread_core();
  EXPECT_EQ(Error(), "core-43.img: thread_core is missing");
}

TEST_F(ThreadPlanTest, ThirtyTwoBitThreadsAreRefused) {
  core_.mutable_thread_info()->mutable_gpregs()->set_mode(pb::COMPAT);
  EXPECT_EQ(Error(), "core-43.img: a 32-bit thread, which is not supported");
}

TEST_F(ThreadPlanTest, NameAndMaskAreThoseOfTheThreadWhereItHasThem) {
  core_.mutable_tc()->set_comm("process");
  core_.mutable_tc()->set_blk_sigset(1);
  EXPECT_EQ(Plan().comm, "process");
  EXPECT_EQ(Plan().signal_mask, 1U);
  thread().set_comm("thread");
  thread().set_blk_sigset(2);
  EXPECT_EQ(Plan().comm, "thread");
  EXPECT_EQ(Plan().signal_mask, 2U);
}

TEST_F(ThreadPlanTest, AnRseqAreaAtZeroIsNone) {
  pb::rseq_entry& rseq = *thread().mutable_rseq_entry();
  rseq.set_rseq_abi_pointer(0);
  rseq.set_rseq_abi_size(0);
  rseq.set_signature(0);
  EXPECT_FALSE(Plan().rseq.has_value());
  rseq.set_rseq_abi_pointer(0x5000);
  rseq.set_rseq_abi_size(32);
  rseq.set_rseq_cs_pointer(0x6000);
  ASSERT_TRUE(Plan().rseq.has_value());
  EXPECT_EQ(Plan().rseq->critical_section, 0x6000U);
}

TEST_F(ThreadPlanTest, DeadlineSchedulingIsRefused) {
  thread().set_sched_policy(SCHED_DEADLINE);
  EXPECT_EQ(Error(), "core-43.img: scheduling policy 6, supported are 0 to 5");
}

TEST_F(ThreadPlanTest, AResetOnForkIsPartOfThePolicy) {
  thread().set_sched_policy(SCHED_FIFO | SCHED_RESET_ON_FORK);
  thread().set_sched_prio(3);
  ASSERT_TRUE(Plan().scheduling.has_value());
  EXPECT_EQ(Plan().scheduling->policy, SCHED_FIFO | SCHED_RESET_ON_FORK);
}

TEST_F(ThreadPlanTest, SeccompIsRefused) {
  thread().set_seccomp_mode(pb::filter);
  EXPECT_EQ(Error(), "core-43.img: seccomp mode \"filter\" is not supported");
}

TEST_F(ThreadPlanTest, CapabilitySetsAreTwoWordsLowWordFirst) {
  pb::creds_entry& creds = *thread().mutable_creds();
  creds.add_cap_prm(0x1);
  creds.add_cap_prm(0x2);
  EXPECT_EQ(Plan().credentials.permitted, 0x200000001U);
  EXPECT_FALSE(Plan().credentials.bounding.has_value());
  creds.add_cap_prm(0x3);
  EXPECT_EQ(Error(), "core-43.img: creds.cap_prm has 3 words, at most 2 are allowed");
}

TEST_F(ThreadPlanTest, ASecurityProfileIsRefused) {
  thread().mutable_creds()->set_lsm_profile("unconfined");
  EXPECT_EQ(Error(), "");
  thread().mutable_creds()->set_lsm_profile("docker-default");
  EXPECT_EQ(Error(), "core-43.img: a security profile (\"docker-default\") is not supported");
}

TEST_F(ThreadPlanTest, APendingSignalIsAWholeSiginfo) {
  thread().mutable_signals_p()->add_signals()->set_siginfo(std::string(128, '\1'));
  EXPECT_EQ(Plan().pending.size(), 1U);
  thread().mutable_signals_p()->add_signals()->set_siginfo("short");
  EXPECT_EQ(Error(), "core-43.img: a pending signal of 5 bytes, a siginfo_t has 128");
}

}  // namespace
}  // namespace ckpt
