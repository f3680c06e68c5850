#include "restorer/extended_state.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "restorer/sample_images.h"

namespace ckpt {
namespace {

constexpr size_t kAreaBytes = 1088;

// A processor with AVX and AVX-512 masks, and nothing more.
ExtendedStateHost Host() {
  ExtendedStateHost host;
  host.components = 3 | BitOf(XComponent::kAvx) | BitOf(XComponent::kOpmask);
  host.place_of = [](XComponent component) -> XComponentPlace {
    if (component == XComponent::kAvx) return {576, 256};
    if (component == XComponent::kOpmask) return {832, 64};
    return {};
  };
  return host;
}

class ExtendedStateTest : public testing::Test {
 protected:
  ExtendedStateTest() {
    entry_ = SampleThread().thread_info().fpregs();
    area_[kXsaveXcr0Offset] = std::byte{0x27};
  }
  Result<std::vector<std::byte>> Build() { return BuildExtendedState(entry_, area_, Host()); }
  std::string Error() {
    const auto built = Build();
    return built.has_error() ? built.error().message : "";
  }
  template <typename T>
  T At(size_t offset) {
    const auto built = Build();
    EXPECT_TRUE(built.has_value()) << built.error().message;
    T value{};
    if (built.has_value()) std::memcpy(&value, built.value().data() + offset, sizeof(value));
    return value;
  }
  void UseAvx() {
    entry_.mutable_xsave()->set_xstate_bv(7);
    for (uint32_t i = 0; i < 64; ++i) entry_.mutable_xsave()->add_ymmh_space(i + 1);
  }

  pb::user_x86_fpregs_entry entry_;
  std::vector<std::byte> area_ = std::vector<std::byte>(kAreaBytes);
};

TEST_F(ExtendedStateTest, LegacyRegistersLieAsFxsavePutsThem) {
  entry_.set_cwd(0x37f);
  entry_.set_rip(0x1122334455667788);
  entry_.set_mxcsr(0x1fa0);
  entry_.set_st_space(4, 0xaabbccdd);
  entry_.set_xmm_space(63, 0x99887766);
  EXPECT_EQ(At<uint16_t>(0), 0x37f);
  EXPECT_EQ(At<uint64_t>(8), 0x1122334455667788U);
  EXPECT_EQ(At<uint32_t>(24), 0x1fa0U);
  EXPECT_EQ(At<uint32_t>(32 + 16), 0xaabbccddU);
  EXPECT_EQ(At<uint32_t>(160 + 252), 0x99887766U);
}

TEST_F(ExtendedStateTest, WithoutExtendedStateOnlyTheLegacyComponentsAreInUse) {
  EXPECT_EQ(At<uint64_t>(kXsaveHeaderOffset), 3U);
}

TEST_F(ExtendedStateTest, WhatTheKernelReservesIsKeptAndTheRestIsCleared) {
  area_[700] = std::byte{0xff};
  EXPECT_EQ(At<uint8_t>(kXsaveXcr0Offset), 0x27);
  EXPECT_EQ(At<uint8_t>(700), 0);
}

TEST_F(ExtendedStateTest, ComponentsLieWhereThisProcessorHasThem) {
  UseAvx();
  EXPECT_EQ(At<uint64_t>(kXsaveHeaderOffset), 7U);
  EXPECT_EQ(At<uint32_t>(576), 1U);
  EXPECT_EQ(At<uint32_t>(576 + 252), 64U);
}

TEST_F(ExtendedStateTest, AComponentInItsInitialStateNeedNotExistHere) {
  entry_.mutable_xsave()->set_xstate_bv(3);
  for (int i = 0; i < 64; ++i) entry_.mutable_xsave()->add_zmm_upper(0);
  EXPECT_EQ(Error(), "");
}

TEST_F(ExtendedStateTest, AComponentInUseThatThisProcessorLacksIsNamed) {
  entry_.mutable_xsave()->set_xstate_bv(BitOf(XComponent::kZmmUpper));
  EXPECT_EQ(Error(),
            "fpregs: AVX-512 ZMM_Hi256 state is in use, which this processor does not have");
}

TEST_F(ExtendedStateTest, AnUnknownComponentInUseIsRefused) {
  entry_.mutable_xsave()->set_xstate_bv(uint64_t{1} << 18 | 3);
  EXPECT_EQ(Error(), "fpregs: state components 0x40000 are in use and not known");
}

TEST_F(ExtendedStateTest, AComponentOfAnotherLengthIsAnError) {
  UseAvx();
  entry_.mutable_xsave()->mutable_ymmh_space()->RemoveLast();
  EXPECT_EQ(Error(), "fpregs: AVX state of 252 bytes, this processor has 256 at byte 576 of 1088");
}

TEST_F(ExtendedStateTest, AComponentThatDoesNotFitInTheAreaIsAnError) {
  UseAvx();
  area_.resize(700);
  EXPECT_EQ(Error(), "fpregs: AVX state of 256 bytes, this processor has 256 at byte 576 of 700");
}

TEST_F(ExtendedStateTest, TheLegacyRegistersMustBeThere) {
  entry_.mutable_xmm_space()->RemoveLast();
  EXPECT_EQ(Error(), "fpregs: 32 words of st_space and 63 of xmm_space, expected 32 and 64");
}

TEST_F(ExtendedStateTest, AShadowStackIsRefused) {
  entry_.mutable_xsave()->set_xstate_bv(3);
  entry_.mutable_xsave()->mutable_cet()->set_cet(1);
  entry_.mutable_xsave()->mutable_cet()->set_ssp(0x1000);
  EXPECT_EQ(Error(), "fpregs: a shadow stack is not supported");
}

}  // namespace
}  // namespace ckpt
