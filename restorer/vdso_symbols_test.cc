#include "restorer/vdso_symbols.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/auxv.h>

#include <cstring>
#include <string>
#include <vector>

namespace ckpt {
namespace {

constexpr size_t kVdsoBytes = 2 * 4096;  // of every x86-64 kernel so far

// The vdso of this process, which the kernel made.
std::vector<std::byte> OwnVdso() {
  const unsigned long address = getauxval(AT_SYSINFO_EHDR);
  if (address == 0) return {};
  const auto* bytes = reinterpret_cast<const std::byte*>(address);
  return {bytes, bytes + kVdsoBytes};
}

std::string ErrorOf(Bytes image) {
  const auto symbols = ParseVdsoSymbols(image);
  return symbols.has_error() ? symbols.error().message : "";
}

TEST(VdsoSymbolsTest, FindsTheFunctionsOfTheRunningKernel) {
  const std::vector<std::byte> vdso = OwnVdso();
  if (vdso.empty()) GTEST_SKIP() << "the kernel maps no vdso";
  const auto symbols = ParseVdsoSymbols(vdso);
  ASSERT_TRUE(symbols.has_value()) << symbols.error().message;
  for (const char* name : {"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time",
                           "__vdso_getcpu", "clock_gettime"}) {
    ASSERT_TRUE(symbols.value().contains(name)) << name;
  }
  EXPECT_EQ(symbols.value().at("clock_gettime"), symbols.value().at("__vdso_clock_gettime"));
  EXPECT_GT(symbols.value().at("__vdso_clock_gettime").size_bytes, 0U);
}

TEST(VdsoSymbolsTest, AnythingElseIsNoVdso) {
  EXPECT_EQ(ErrorOf({}), "vdso: ELF header at byte 0 runs past the end at 0");
  EXPECT_EQ(ErrorOf(std::vector<std::byte>(4096)), "vdso: not a 64-bit x86 ELF image");
  EXPECT_EQ(ErrorOf(std::vector<std::byte>(1 << 20)),
            "vdso: 1048576 bytes, at most 262144 are allowed");
}

TEST(VdsoSymbolsTest, TablesPastTheEndAreErrors) {
  std::vector<std::byte> vdso = OwnVdso();
  if (vdso.empty()) GTEST_SKIP() << "the kernel maps no vdso";
  Elf64_Ehdr header;
  std::memcpy(&header, vdso.data(), sizeof(header));
  header.e_phoff = ~uint64_t{0} - 8;
  std::memcpy(vdso.data(), &header, sizeof(header));
  EXPECT_EQ(ErrorOf(vdso),
            "vdso: program header at byte 18446744073709551607 runs past the end at 8192");
}

TEST(VdsoSymbolsTest, EveryPrefixAndEveryChangedByteIsRefusedOrRead) {
  std::vector<std::byte> vdso = OwnVdso();
  if (vdso.empty()) GTEST_SKIP() << "the kernel maps no vdso";
  // The tables lie in the first kilobytes; a prefix without them cannot be read.
  for (size_t size = 0; size < 64; ++size) {
    EXPECT_NE(ErrorOf(Bytes(vdso).first(size)), "") << size;
  }
  for (size_t i = 0; i < 2048; ++i) {
    for (const int bit : {0, 3, 7}) {
      vdso[i] ^= std::byte{1} << bit;
      static_cast<void>(ParseVdsoSymbols(vdso));  // under the sanitizers: reads nothing outside
      vdso[i] ^= std::byte{1} << bit;
    }
  }
}

}  // namespace
}  // namespace ckpt
