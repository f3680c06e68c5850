#include "process/vm_flags.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace ckpt {
namespace {

TEST(VmFlagsTest, LettersBecomeFlags) {
  const VmFlags flags = ParseVmFlags(" rd wr mr mw me gd ac dc dd ");
  EXPECT_TRUE(flags.Has(VmFlag::kRead));
  EXPECT_TRUE(flags.Has(VmFlag::kGrowsDown));
  EXPECT_TRUE(flags.Has(VmFlag::kDontCopy));
  EXPECT_TRUE(flags.Has(VmFlag::kDontDump));
  EXPECT_FALSE(flags.Has(VmFlag::kExec));
  EXPECT_FALSE(flags.Has(VmFlag::kUnknown));
}

TEST(VmFlagsTest, UnknownLettersAreNotLost) {
  EXPECT_TRUE(ParseVmFlags("rd zz").Has(VmFlag::kUnknown));
}

TEST(VmFlagsTest, EachFlagHasItsOwnLetters) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < kVmFlagCount; ++i) {
    const std::string_view letters = VmFlagLetters(static_cast<VmFlag>(i));
    EXPECT_TRUE(seen.insert(letters).second) << letters;
    VmFlags expected;
    expected.Add(static_cast<VmFlag>(i));
    EXPECT_EQ(ParseVmFlags(letters), expected) << letters;
  }
}

TEST(VmFlagsTest, LettersFollowTheKernelsList) {
  EXPECT_EQ(VmFlagLetters(VmFlag::kPfnMap), "pf");
  EXPECT_EQ(VmFlagLetters(VmFlag::kHugeTlb), "ht");
  EXPECT_EQ(VmFlagLetters(VmFlag::kWipeOnFork), "wf");
  EXPECT_EQ(VmFlagLetters(VmFlag::kMergeable), "mg");
  EXPECT_EQ(VmFlagLetters(VmFlag::kMaybeGuard), "gu");
}

}  // namespace
}  // namespace ckpt
