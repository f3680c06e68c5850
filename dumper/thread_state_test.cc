#include "dumper/thread_state.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>

#include "process/xsave_layout.h"

namespace ckpt {
namespace {

ThreadFacts SomeFacts() {
  ThreadFacts facts;
  facts.tid = 43;
  facts.xstate.resize(XsaveAreaBytes());
  facts.status.name = "a thread";
  return facts;
}

TEST(ThreadStateTest, EachFactHasItsField) {
  ThreadFacts facts = SomeFacts();
  facts.registers.orig_rax = ~0ULL;
  facts.registers.rip = 0x1234;
  facts.signal_mask = 0x200;
  facts.robust_list = 0x5000;
  facts.robust_list_bytes = 24;
  facts.policy = 1;
  facts.realtime_priority = 7;
  facts.nice = -3;
  facts.alternate_stack.ss_size = 8192;
  facts.clear_tid_address = 0x6000;
  facts.parent_death_signal = SIGHUP;
  facts.securebits = 5;
  facts.status.uid.effective = 1000;
  facts.status.cap_permitted = 0x1'0000'0002;
  facts.rseq = RseqConfiguration{.abi_pointer = 0x7000, .abi_size_bytes = 32, .signature = 9};
  pb::core_entry core;
  ASSERT_TRUE(FillThread(facts, &core).has_value());
  EXPECT_EQ(core.thread_info().gpregs().ip(), 0x1234U);
  EXPECT_EQ(core.thread_info().clear_tid_addr(), 0x6000U);
  const pb::thread_core_entry& entry = core.thread_core();
  EXPECT_EQ(entry.blk_sigset(), 0x200U);
  EXPECT_EQ(entry.futex_rla(), 0x5000U);
  EXPECT_EQ(entry.futex_rla_len(), 24U);
  EXPECT_EQ(entry.sched_policy(), 1U);
  EXPECT_EQ(entry.sched_prio(), 7U);
  EXPECT_EQ(entry.sched_nice(), -3);
  EXPECT_EQ(entry.comm(), "a thread");
  EXPECT_EQ(entry.sas().ss_size(), 8192U);
  EXPECT_EQ(entry.pdeath_sig(), static_cast<uint32_t>(SIGHUP));
  EXPECT_EQ(entry.creds().secbits(), 5U);
  EXPECT_EQ(entry.creds().euid(), 1000U);
  EXPECT_EQ(entry.creds().cap_prm(0), 2U);
  EXPECT_EQ(entry.creds().cap_prm(1), 1U);
  EXPECT_EQ(entry.rseq_entry().rseq_abi_pointer(), 0x7000U);
}

TEST(ThreadStateTest, AThreadWithoutRseqHasNoEntryOfIt) {
  ThreadFacts facts = SomeFacts();
  facts.rseq = RseqConfiguration{};
  pb::core_entry core;
  ASSERT_TRUE(FillThread(facts, &core).has_value());
  EXPECT_FALSE(core.thread_core().has_rseq_entry());
}

TEST(ThreadStateTest, PendingSignalsKeepEveryByte) {
  siginfo_t signal{};
  std::memset(&signal, 0x5a, sizeof(signal));
  pb::signal_queue_entry entry;
  FillPendingSignals({signal}, &entry);
  ASSERT_EQ(entry.signals_size(), 1);
  EXPECT_EQ(entry.signals(0).siginfo(), std::string(sizeof(signal), 0x5a));
}

TEST(ThreadStateTest, StateThatTheFormatCannotHoldNamesTheThread) {
  ThreadFacts facts = SomeFacts();
  facts.xstate[kXsaveHeaderOffset + 2] = std::byte{4};  // AMX
  pb::core_entry core;
  const Result<> filled = FillThread(facts, &core);
  ASSERT_TRUE(filled.has_error());
  EXPECT_EQ(filled.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(filled.error().message,
            "thread 43: extended state components 0x40000 are in use; the format holds 0x2ff");
}

}  // namespace
}  // namespace ckpt
