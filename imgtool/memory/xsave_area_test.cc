#include "imgtool/memory/xsave_area.h"

#include <gtest/gtest.h>

#include <cstring>

namespace ckpt {
namespace {

pb::user_x86_fpregs_entry SampleRegisters() {
  pb::user_x86_fpregs_entry registers;
  registers.set_cwd(0x37f);
  registers.set_swd(0x1234);
  registers.set_twd(0xab);
  registers.set_fop(0x7ff);
  registers.set_rip(0x1111111111111111);
  registers.set_rdp(0x2222222222222222);
  registers.set_mxcsr(0x1f80);
  registers.set_mxcsr_mask(0xffff);
  for (uint32_t i = 0; i < 32; ++i) registers.add_st_space(0x5000 + i);
  for (uint32_t i = 0; i < 64; ++i) registers.add_xmm_space(0x6000 + i);
  return registers;
}

template <typename T>
T At(const std::string& bytes, size_t offset) {
  T value{};
  EXPECT_LE(offset + sizeof(T), bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::string ErrorOf(const pb::user_x86_fpregs_entry& registers) {
  const auto area = BuildXsaveArea(registers);
  return area.has_error() ? area.error().message : "(none)";
}

TEST(BuildFxsaveArea, PutsEachRegisterInItsPlace) {
  const std::string area = BuildFxsaveArea(SampleRegisters()).value();
  ASSERT_EQ(area.size(), 512u);
  EXPECT_EQ(At<uint16_t>(area, 0), 0x37f);
  EXPECT_EQ(At<uint16_t>(area, 2), 0x1234);
  EXPECT_EQ(At<uint16_t>(area, 4), 0xab);
  EXPECT_EQ(At<uint16_t>(area, 6), 0x7ff);
  EXPECT_EQ(At<uint64_t>(area, 8), 0x1111111111111111u);
  EXPECT_EQ(At<uint64_t>(area, 16), 0x2222222222222222u);
  EXPECT_EQ(At<uint32_t>(area, 24), 0x1f80u);
  EXPECT_EQ(At<uint32_t>(area, 28), 0xffffu);
  EXPECT_EQ(At<uint32_t>(area, 32), 0x5000u);
  EXPECT_EQ(At<uint32_t>(area, 156), 0x501fu);
  EXPECT_EQ(At<uint32_t>(area, 160), 0x6000u);
  EXPECT_EQ(At<uint32_t>(area, 412), 0x603fu);
}

TEST(BuildXsaveArea, IsEmptyWithoutExtendedState) {
  EXPECT_EQ(BuildXsaveArea(SampleRegisters()).value(), "");
}

TEST(BuildXsaveArea, EndsBehindTheLastComponentThatTheImageHolds) {
  pb::user_x86_fpregs_entry registers = SampleRegisters();
  pb::user_x86_xsave_entry& xsave = *registers.mutable_xsave();
  xsave.set_xstate_bv(7);
  for (uint32_t i = 0; i < 64; ++i) xsave.add_ymmh_space(0x7000 + i);
  const std::string avx = BuildXsaveArea(registers).value();
  ASSERT_EQ(avx.size(), 832u);
  EXPECT_EQ(At<uint64_t>(avx, 464), 7u);
  EXPECT_EQ(At<uint64_t>(avx, 512), 7u);
  EXPECT_EQ(At<uint32_t>(avx, 576), 0x7000u);
  EXPECT_EQ(At<uint32_t>(avx, 828), 0x703fu);
  xsave.add_pkru(0x55555554);
  xsave.add_pkru(0);
  const std::string pkru = BuildXsaveArea(registers).value();
  ASSERT_EQ(pkru.size(), 2696u);
  EXPECT_EQ(At<uint64_t>(pkru, 464), 0x207u);
  EXPECT_EQ(At<uint64_t>(pkru, 512), 7u);
  EXPECT_EQ(At<uint32_t>(pkru, 2688), 0x55555554u);
}

TEST(BuildXsaveArea, SaysOfNoComponentThatItIsInUseThatTheImageDoesNotHold) {
  pb::user_x86_fpregs_entry registers = SampleRegisters();
  registers.mutable_xsave()->set_xstate_bv(~uint64_t{0});
  const std::string area = BuildXsaveArea(registers).value();
  ASSERT_EQ(area.size(), 576u);
  EXPECT_EQ(At<uint64_t>(area, 512), 3u);
}

TEST(BuildXsaveArea, RefusesRegistersOfAnyWrongLength) {
  for (int length = 0; length < 200; ++length) {
    pb::user_x86_fpregs_entry registers = SampleRegisters();
    pb::user_x86_xsave_entry& xsave = *registers.mutable_xsave();
    xsave.set_xstate_bv(7);
    for (int i = 0; i < length; ++i) xsave.add_zmm_upper(1);
    EXPECT_EQ(BuildXsaveArea(registers).has_value(), length == 0 || length == 64) << length;
  }
  pb::user_x86_fpregs_entry registers = SampleRegisters();
  registers.mutable_xsave()->set_xstate_bv(7);
  registers.mutable_xsave()->add_ymmh_space(1);
  EXPECT_EQ(ErrorOf(registers), "fpregs: ymmh_space has 4 bytes, expected 256");
  registers.add_st_space(1);
  EXPECT_EQ(ErrorOf(registers), "fpregs: st_space has 132 bytes, expected 128");
  registers.clear_st_space();
  EXPECT_EQ(ErrorOf(registers), "fpregs: st_space has 0 bytes, expected 128");
}

}  // namespace
}  // namespace ckpt
