#include "dumper/registers.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "process/xsave_layout.h"

namespace ckpt {
namespace {

user_regs_struct Interrupted(long result) {
  user_regs_struct registers{};
  registers.rip = 0x1002;
  registers.orig_rax = 35;
  registers.rax = static_cast<uint64_t>(result);
  return registers;
}

TEST(RegistersTest, AnInterruptedCallIsMadeAgain) {
  for (const long restart : {-512L, -513L, -514L}) {
    const user_regs_struct resumed = ResumableRegisters(Interrupted(restart));
    EXPECT_EQ(resumed.rax, 35U);
    EXPECT_EQ(resumed.rip, 0x1000U);
    EXPECT_EQ(resumed.orig_rax, ~0ULL);
  }
}

TEST(RegistersTest, ACallWithARelativeTimeoutReturnsEintr) {
  const user_regs_struct resumed = ResumableRegisters(Interrupted(-516));
  EXPECT_EQ(static_cast<long>(resumed.rax), -EINTR);
  EXPECT_EQ(resumed.rip, 0x1002U);
}

TEST(RegistersTest, OtherResultsAndPlainCodeStayAsTheyAre) {
  EXPECT_EQ(ResumableRegisters(Interrupted(7)).rax, 7U);
  user_regs_struct running = Interrupted(-512);
  running.orig_rax = ~0ULL;
  EXPECT_EQ(ResumableRegisters(running).rax, static_cast<uint64_t>(-512));
  EXPECT_EQ(ResumableRegisters(running).rip, 0x1002U);
}

std::vector<std::byte> XState(uint64_t in_use) {
  std::vector<std::byte> xstate(XsaveAreaBytes());
  const uint64_t enabled = EnabledXComponents();
  std::memcpy(xstate.data() + kXsaveXcr0Offset, &enabled, sizeof(enabled));
  std::memcpy(xstate.data() + kXsaveHeaderOffset, &in_use, sizeof(in_use));
  return xstate;
}

TEST(RegistersTest, EachComponentHasTheLengthThatTheHostGivesIt) {
  std::vector<std::byte> xstate = XState(3);
  xstate[24] = std::byte{0x80};  // mxcsr
  xstate[25] = std::byte{0x1f};
  xstate[160] = std::byte{0xaa};  // the first byte of xmm0
  pb::user_x86_fpregs_entry entry;
  ASSERT_TRUE(FillExtendedState(xstate, &entry).has_value());
  EXPECT_EQ(entry.mxcsr(), 0x1f80U);
  EXPECT_EQ(entry.st_space_size(), 32);
  EXPECT_EQ(entry.xmm_space_size(), 64);
  EXPECT_EQ(entry.xmm_space(0), 0xaaU);
  EXPECT_EQ(entry.xsave().xstate_bv(), 3U);
  const auto length = [](XComponent component, size_t word_bytes) {
    return static_cast<int>(PlaceOf(component).size_bytes / word_bytes);
  };
  EXPECT_EQ(entry.xsave().ymmh_space_size(), length(XComponent::kAvx, 4));
  EXPECT_EQ(entry.xsave().opmask_reg_size(), length(XComponent::kOpmask, 8));
  EXPECT_EQ(entry.xsave().hi16_zmm_size(), length(XComponent::kHi16Zmm, 8));
}

TEST(RegistersTest, AComponentThatTheFormatCannotHoldIsRefused) {
  pb::user_x86_fpregs_entry entry;
  const auto result = FillExtendedState(XState(uint64_t{1} << 18), &entry);
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(result.error().message,
            "extended state components 0x40000 are in use; the format holds 0x2ff");
}

}  // namespace
}  // namespace ckpt
