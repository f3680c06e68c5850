#include "process/mapping.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <string>
#include <utility>

namespace ckpt {
namespace {

SpecialMapping SpecialOf(std::string path) {
  Mapping mapping;
  mapping.path = std::move(path);
  return SpecialMappingOf(mapping);
}

TEST(MappingTest, TheKernelsOwnNamesAreTold) {
  EXPECT_EQ(SpecialOf("[heap]"), SpecialMapping::kHeap);
  EXPECT_EQ(SpecialOf("[stack]"), SpecialMapping::kStack);
  EXPECT_EQ(SpecialOf("[vdso]"), SpecialMapping::kVdso);
  EXPECT_EQ(SpecialOf("[vvar]"), SpecialMapping::kVvar);
  EXPECT_EQ(SpecialOf("[vvar_vclock]"), SpecialMapping::kVvarVclock);
  EXPECT_EQ(SpecialOf("[vsyscall]"), SpecialMapping::kVsyscall);
  EXPECT_EQ(SpecialOf("[anon:jit]"), SpecialMapping::kOther);
}

TEST(MappingTest, FilesWithSuchNamesAreNotSpecial) {
  EXPECT_EQ(SpecialOf("/tmp/[heap]"), SpecialMapping::kNone);
  EXPECT_EQ(SpecialOf(""), SpecialMapping::kNone);
}

TEST(MappingTest, ProtectionIsThatOfMmap) {
  Mapping mapping;
  EXPECT_EQ(mapping.protection(), PROT_NONE);
  mapping.readable = mapping.executable = true;
  EXPECT_EQ(mapping.protection(), PROT_READ | PROT_EXEC);
  mapping.writable = true;
  EXPECT_EQ(mapping.protection(), PROT_READ | PROT_WRITE | PROT_EXEC);
}

TEST(MappingTest, AnonymousOrSwappedPagesArePrivateOnes) {
  MappingUsage usage;
  usage.rss_bytes = 4096;
  EXPECT_TRUE(usage.HasNoPrivatePages());
  usage.swap_bytes = 4096;
  EXPECT_FALSE(usage.HasNoPrivatePages());
  usage.swap_bytes = 0;
  usage.anonymous_bytes = 4096;
  EXPECT_FALSE(usage.HasNoPrivatePages());
}

}  // namespace
}  // namespace ckpt
