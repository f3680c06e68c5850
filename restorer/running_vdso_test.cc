#include "restorer/running_vdso.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "process/kernel_features.h"
#include "process/maps.h"

namespace ckpt {
namespace {

TEST(RunningVdsoTest, IsWhereTheKernelTellsTheProcess) {
  if (getauxval(AT_SYSINFO_EHDR) == 0) GTEST_SKIP() << "the kernel maps no vdso";
  const auto mappings = ReadMappings(getpid(), FallbackKernelFeatures()).value();
  const RemoteMemory memory = RemoteMemory::Open(getpid()).value();
  const auto vdso = FindRunningVdso(mappings, memory);
  ASSERT_TRUE(vdso.has_value()) << vdso.error().message;
  EXPECT_EQ(vdso.value().vdso_start(), getauxval(AT_SYSINFO_EHDR));
  EXPECT_TRUE(vdso.value().shape.symbols.contains("__vdso_clock_gettime"));
}

TEST(RunningVdsoTest, NoneWhereTheKernelMapsNone) {
  const RemoteMemory memory = RemoteMemory::Open(getpid()).value();
  const auto vdso = FindRunningVdso({}, memory);
  ASSERT_TRUE(vdso.has_value());
  EXPECT_FALSE(vdso.value().exists());
}

TEST(RunningVdsoTest, PiecesKeepTheirDistances) {
  RunningVdso vdso;
  vdso.pieces = {{0x10000, 0x14000}, {0x14000, 0x16000}, {0x17000, 0x19000}};
  EXPECT_THAT(vdso.PiecesAt(0x50000),
              testing::ElementsAre(RemoteRange{0x50000, 0x54000}, RemoteRange{0x54000, 0x56000},
                                   RemoteRange{0x57000, 0x59000}));
}

}  // namespace
}  // namespace ckpt
