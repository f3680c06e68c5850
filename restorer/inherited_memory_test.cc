#include "restorer/inherited_memory.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <string>

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = MappingPlan::Kind;

constexpr int kReadWrite = PROT_READ | PROT_WRITE;

MappingPlan Anonymous(uint64_t start, uint64_t end, int protection = kReadWrite) {
  MappingPlan mapping;
  mapping.range = {start, end};
  mapping.protection = protection;
  mapping.flags = MAP_PRIVATE | MAP_ANONYMOUS;
  return mapping;
}

MappingPlan File(uint64_t start, uint64_t end, uint32_t id, uint64_t offset) {
  MappingPlan mapping = Anonymous(start, end);
  mapping.kind = Kind::kFile;
  mapping.flags = MAP_PRIVATE;
  mapping.file_id = id;
  mapping.file_offset = offset;
  return mapping;
}

// Pages with the content of those from `offset` on of one image.
PagesPlan Pages(uint64_t start, uint64_t end, uint64_t offset) {
  return {.range = {start, end}, .source = 0, .offset_bytes = offset};
}

bool IsSame(const PagesPlan& a, const PagesPlan& b) { return a.offset_bytes == b.offset_bytes; }

std::string Text(const RemoteRange& range) {
  return fmt::format("{:x}-{:x}", range.start, range.end);
}

std::vector<std::string> Texts(const std::vector<RemoteRange>& ranges) {
  std::vector<std::string> texts;
  for (const RemoteRange& range : ranges) texts.push_back(Text(range));
  return texts;
}

template <typename T>
std::vector<std::string> Ranges(const std::vector<T>& pieces) {
  std::vector<std::string> texts;
  for (const T& piece : pieces) texts.push_back(Text(piece.range));
  return texts;
}

class InheritanceTest : public testing::Test {
 protected:
  InheritancePlan Plan() { return PlanInheritance(maker_, made_, IsSame); }

  AddressSpacePlan maker_, made_;
};

TEST_F(InheritanceTest, WhatIsEqualStaysAndIsNotWritten) {
  maker_.mappings = made_.mappings = {Anonymous(0x1000, 0x5000)};
  maker_.pages = made_.pages = {Pages(0x1000, 0x3000, 0)};
  const InheritancePlan plan = Plan();
  EXPECT_THAT(plan.unmapped, IsEmpty());
  EXPECT_THAT(plan.mapped, IsEmpty());
  EXPECT_THAT(plan.reprotected, IsEmpty());
  EXPECT_THAT(plan.dropped, IsEmpty());
  EXPECT_THAT(plan.written, IsEmpty());
}

TEST_F(InheritanceTest, PagesThatDifferAreWrittenAndThoseOfTheMakerAloneDropped) {
  maker_.mappings = made_.mappings = {Anonymous(0x1000, 0x9000)};
  maker_.pages = {Pages(0x1000, 0x5000, 0)};
  made_.pages = {Pages(0x1000, 0x2000, 0), Pages(0x2000, 0x4000, 0x10000),
                 Pages(0x6000, 0x7000, 0x20000)};
  const InheritancePlan plan = Plan();
  EXPECT_THAT(Texts(plan.dropped), ElementsAre("4000-5000"));
  EXPECT_THAT(Ranges(plan.written), ElementsAre("2000-4000", "6000-7000"));
  EXPECT_EQ(plan.written.front().offset_bytes, 0x10000U);
}

TEST_F(InheritanceTest, OnlyThePartThatBothHaveIsInherited) {
  maker_.mappings = {Anonymous(0x1000, 0x5000)};
  made_.mappings = {Anonymous(0x2000, 0x3000), Anonymous(0x4000, 0x7000)};
  maker_.pages = made_.pages = {Pages(0x2000, 0x3000, 0), Pages(0x4000, 0x5000, 0x1000)};
  const InheritancePlan plan = Plan();
  EXPECT_THAT(Texts(plan.unmapped), ElementsAre("1000-2000", "3000-4000"));
  EXPECT_THAT(Ranges(plan.mapped), ElementsAre("5000-7000"));
  EXPECT_THAT(plan.written, IsEmpty());
}

TEST_F(InheritanceTest, AnotherFileOrPlaceInItIsMappedAnew) {
  maker_.mappings = {File(0x1000, 0x3000, 1, 0), File(0x4000, 0x5000, 2, 0)};
  made_.mappings = {File(0x1000, 0x2000, 1, 0), File(0x2000, 0x3000, 1, 0),
                    File(0x4000, 0x5000, 3, 0)};
  made_.pages = {Pages(0x4000, 0x5000, 0)};
  maker_.pages = {Pages(0x4000, 0x5000, 0)};
  const InheritancePlan plan = Plan();
  EXPECT_THAT(Texts(plan.unmapped), ElementsAre("2000-3000", "4000-5000"));
  EXPECT_THAT(Ranges(plan.mapped), ElementsAre("2000-3000", "4000-5000"));
  EXPECT_THAT(Ranges(plan.written), ElementsAre("4000-5000"));
}

TEST_F(InheritanceTest, ProtectionOfAPartIsChanged) {
  maker_.mappings = {Anonymous(0x1000, 0x3000)};
  made_.mappings = {Anonymous(0x1000, 0x2000), Anonymous(0x2000, 0x3000, PROT_READ)};
  EXPECT_THAT(Ranges(Plan().reprotected), ElementsAre("2000-3000"));
  made_.mappings[1].has_pages = true;  // writable until it is filled
  EXPECT_THAT(Plan().reprotected, IsEmpty());
}

TEST_F(InheritanceTest, LockedMemoryAndTheVdsoAreNotInherited) {
  maker_.mappings = {Anonymous(0x1000, 0x2000), Anonymous(0x3000, 0x4000)};
  maker_.mappings[0].flags |= MAP_LOCKED;
  maker_.mappings[1].kind = Kind::kVdso;
  made_.mappings = maker_.mappings;
  EXPECT_THAT(Texts(Plan().unmapped), ElementsAre("1000-2000", "3000-4000"));
  EXPECT_THAT(Ranges(Plan().mapped), ElementsAre("1000-2000", "3000-4000"));
}

TEST_F(InheritanceTest, PagesOfSharedMappingsAreNeverDropped) {
  maker_.mappings = made_.mappings = {Anonymous(0x1000, 0x2000)};
  maker_.mappings[0].kind = made_.mappings[0].kind = Kind::kSharedMemory;
  maker_.mappings[0].flags = made_.mappings[0].flags = MAP_SHARED;
  maker_.pages = {Pages(0x1000, 0x2000, 0)};
  EXPECT_THAT(Plan().dropped, IsEmpty());
}

}  // namespace
}  // namespace ckpt
