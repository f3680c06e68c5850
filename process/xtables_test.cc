#include "process/xtables.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace ckpt {
namespace {

constexpr size_t kHooks = 5;
constexpr size_t kTargetOffsetAt = 88;  // as in struct ipt_entry
constexpr size_t kEntryBytes = 152;
constexpr size_t kTargetAt = 112;

template <typename T>
void Put(std::string& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

// A table of the hooks 1 and 3, each with its policy only.
class XtablesTest : public testing::Test {
 protected:
  XtablesTest() {
    info_.valid_hooks = 0b01010;
    info_.hook_entry = {0, 0, 0, kEntryBytes, 0};
    info_.underflow = info_.hook_entry;
    info_.entry_count = 3;
    for (const size_t entry : {size_t{0}, kEntryBytes}) {
      Put<uint16_t>(entries_, entry + kTargetOffsetAt, kTargetAt);
      SetPolicy(entry, -2);
    }
  }
  void SetPolicy(size_t entry, int32_t verdict) {
    Put<int32_t>(entries_, entry + kTargetAt + 32, verdict);
  }
  bool Unchanged() const { return IsUnchanged(info_, AsBytes(entries_), kTargetOffsetAt); }

  XtablesInfo info_;
  std::string entries_ = std::string(3 * kEntryBytes, '\0');
};

TEST_F(XtablesTest, ATableOfAcceptingPoliciesIsAsTheKernelMakesIt) { EXPECT_TRUE(Unchanged()); }

TEST_F(XtablesTest, AnotherPolicyIsAChange) {
  SetPolicy(kEntryBytes, -1);  // drop
  EXPECT_FALSE(Unchanged());
}

TEST_F(XtablesTest, ARuleIsAChange) {
  info_.underflow[3] += kEntryBytes;
  EXPECT_FALSE(Unchanged());
}

TEST_F(XtablesTest, AChainIsAChange) {
  info_.entry_count += 2;
  EXPECT_FALSE(Unchanged());
}

TEST_F(XtablesTest, APolicyPastTheEndIsAChange) {
  entries_.resize(kEntryBytes + kTargetAt + 32 + 3);
  EXPECT_FALSE(Unchanged());
}

TEST(Xtables, WhatTheKernelSaysOfATableIsRead) {
  std::string bytes(32, '\0');
  for (uint32_t number = 1; number <= 13; ++number) {
    bytes.append(sizeof(number), '\0');
    Put(bytes, bytes.size() - sizeof(number), number);
  }
  const auto info = ParseXtablesInfo(AsBytes(bytes), kHooks);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->valid_hooks, 1U);
  EXPECT_EQ(info->hook_entry, (std::vector<uint32_t>{2, 3, 4, 5, 6}));
  EXPECT_EQ(info->underflow, (std::vector<uint32_t>{7, 8, 9, 10, 11}));
  EXPECT_EQ(info->entry_count, 12U);
  EXPECT_EQ(info->size_bytes, 13U);
  bytes.pop_back();
  EXPECT_FALSE(ParseXtablesInfo(AsBytes(bytes), kHooks).has_value());
}

}  // namespace
}  // namespace ckpt
