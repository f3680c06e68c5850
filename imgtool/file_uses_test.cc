#include "imgtool/file_uses.h"

#include <gtest/gtest.h>

#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

TEST(FileUsesTest, MappingsAndOtherReferencesAreToldApart) {
  TaskImages task;
  task.mnt_ns_id = 7;
  task.root = "/jail";
  task.mm = SampleMm(1, {1, 2});
  task.old_vmas = {SampleFileVma(3)};
  task.fs = SampleFs(4, 5);
  pb::fdinfo_entry descriptor;
  descriptor.set_id(6);
  task.descriptors = {descriptor};
  FileUses uses;
  uses.AddTask(task);
  uses.AddOther(8);
  for (const uint32_t id : {2U, 3U}) EXPECT_TRUE(uses.Get(id).MappedOnly()) << id;
  for (const uint32_t id : {1U, 4U, 5U, 6U, 8U, 9U}) EXPECT_FALSE(uses.Get(id).MappedOnly()) << id;
  EXPECT_TRUE(uses.Get(1).mapped);
  EXPECT_EQ(uses.Get(2).mnt_ns_ids, std::set<uint32_t>{7});
  EXPECT_EQ(uses.Get(6).roots, std::set<std::string>{"/jail"});
  EXPECT_TRUE(uses.Get(9).mnt_ns_ids.empty());
}

TEST(FileUsesTest, TheNumberOfAMappingWithoutFileIsNoFiles) {
  TaskImages task;
  pb::vma_entry vma = SampleFileVma(2);
  vma.set_status(kVmaRegular | kVmaAnonShared);
  task.old_vmas = {vma};
  FileUses uses;
  uses.AddTask(task);
  EXPECT_FALSE(uses.Get(2).mapped);
}

}  // namespace
}  // namespace ckpt
