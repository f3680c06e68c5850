#include "process/xsave_layout.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "process/child_for_test.h"
#include "process/tracee.h"

namespace ckpt {
namespace {

TEST(XsaveLayoutTest, TheLayoutIsTheOneOfTheKernelsRegisterSet) {
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  auto tracee = Tracee::Seize(child.pid(), 0).value();
  ASSERT_TRUE(tracee.Interrupt().has_value());
  ASSERT_TRUE(tracee.WaitForStop().has_value());
  const auto xstate = tracee.GetXState().value();
  // The kernel's area ends where its own feature set does, which AMX permission can make smaller.
  EXPECT_LE(xstate.size(), XsaveAreaBytes());
  uint64_t xcr0 = 0;
  ASSERT_GE(xstate.size(), kXsaveHeaderOffset + kXsaveHeaderBytes);
  std::memcpy(&xcr0, xstate.data() + kXsaveXcr0Offset, sizeof(xcr0));
  EXPECT_EQ(xcr0 & ~EnabledXComponents(), 0U);
  for (const auto component : {XComponent::kAvx, XComponent::kOpmask, XComponent::kHi16Zmm}) {
    const XComponentPlace place = PlaceOf(component);
    if ((xcr0 & BitOf(component)) == 0) continue;
    EXPECT_GE(place.offset, kXsaveHeaderOffset + kXsaveHeaderBytes);
    EXPECT_LE(place.offset + place.size_bytes, xstate.size());
  }
}

}  // namespace
}  // namespace ckpt
