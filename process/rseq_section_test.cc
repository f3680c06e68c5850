#include "process/rseq_section.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "process/child_for_test.h"

namespace ckpt {
namespace {

// Shared with the child: where its critical section is, and what a struct rseq would hold.
struct Area {
  std::array<uint64_t, 4> rseq;     // struct rseq: rseq_cs is the second word
  std::array<uint64_t, 4> section;  // struct rseq_cs
};

TEST(RseqSectionTest, AThreadInsideACriticalSectionGoesOnAtItsAbortHandler) {
  ChildForTest child([](const auto& ready) {
    ready();
    return pause();
  });
  auto tracee = Tracee::Seize(child.pid(), 0).value();
  ASSERT_TRUE(tracee.Interrupt().has_value());
  ASSERT_TRUE(tracee.WaitForStop().has_value());
  const auto memory = RemoteMemory::Open(child.pid()).value();
  const user_regs_struct registers = tracee.GetRegisters().value();
  // A section around the instruction the thread stands at, below its stack pointer's red zone.
  const uint64_t base = (registers.rsp - 4096) & ~uint64_t{63};
  Area area{};
  area.rseq[1] = base + offsetof(Area, section);
  area.section = {0, registers.rip - 2, 8, 0x1234000};
  ASSERT_TRUE(memory.Write(RemotePtr(base), std::as_bytes(std::span(&area, 1))).has_value());
  const RseqConfiguration configuration{.abi_pointer = base, .abi_size_bytes = 32};

  ASSERT_TRUE(AbortRseqSection(tracee, memory, configuration).has_value());
  EXPECT_EQ(tracee.GetRegisters().value().rip, 0x1234000U);
  EXPECT_EQ(memory.ReadObject<Area>(RemotePtr(base)).value().rseq[1], 0U);

  ASSERT_TRUE(tracee.SetRegisters(registers).has_value());
  area.section[1] = registers.rip + 1;  // the section starts after it
  ASSERT_TRUE(memory.Write(RemotePtr(base), std::as_bytes(std::span(&area, 1))).has_value());
  ASSERT_TRUE(AbortRseqSection(tracee, memory, configuration).has_value());
  EXPECT_EQ(tracee.GetRegisters().value().rip, registers.rip);
}

}  // namespace
}  // namespace ckpt
