#include "dumper/file_owners.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace ckpt {
namespace {

pb::file_entry WithOwner(uint32_t pid, int type) {
  pb::file_entry entry;
  entry.set_type(pb::PIPE);
  entry.mutable_pipe()->mutable_fown()->set_pid(pid);
  entry.mutable_pipe()->mutable_fown()->set_pid_type(static_cast<uint32_t>(type));
  return entry;
}

const TreeNumbers kNumbers = {.threads = {{1000, 1}, {1001, 2}}, .groups = {{1000, 5}}};

TEST(FileOwnersTest, ProcessesAndGroupsGetTheNumbersOfTheirNamespace) {
  std::vector<pb::file_entry> entries = {WithOwner(1001, F_OWNER_PID),
                                         WithOwner(1000, F_OWNER_PGRP),
                                         WithOwner(1000, F_OWNER_TID), WithOwner(0, 0)};
  entries.emplace_back().set_type(pb::REG);  // of which nothing is filled
  Refusals refusals;
  TranslateOwners(kNumbers, true, entries, refusals);
  EXPECT_EQ(entries[0].pipe().fown().pid(), 2U);
  EXPECT_EQ(entries[1].pipe().fown().pid(), 5U);
  EXPECT_EQ(entries[2].pipe().fown().pid(), 1U);
  EXPECT_EQ(entries[3].pipe().fown().pid(), 0U);
  EXPECT_TRUE(refusals.findings().empty());
}

TEST(FileOwnersTest, AnOwnerOutsideIsRefusedWhereTheNamespaceDoesNotHaveIt) {
  std::vector<pb::file_entry> entries = {WithOwner(77, F_OWNER_PID)};
  Refusals refusals;
  TranslateOwners(kNumbers, false, entries, refusals);
  EXPECT_EQ(entries[0].pipe().fown().pid(), 77U);
  EXPECT_TRUE(refusals.findings().empty());
  TranslateOwners(kNumbers, true, entries, refusals);
  ASSERT_EQ(refusals.findings().size(), 1U);
  EXPECT_EQ(refusals.findings()[0],
            "a file has the owner 77 (F_SETOWN), which is outside the tree");
}

}  // namespace
}  // namespace ckpt
