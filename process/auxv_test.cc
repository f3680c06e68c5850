#include "process/auxv.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <string_view>

namespace ckpt {
namespace {

using std::string_view_literals::operator""sv;

TEST(AuxvTest, PairsAreReadToTheEndOfTheFile) {
  const auto auxv =
      ParseAuxv(AsBytes("\x06\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                        "\x07\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"sv));
  ASSERT_TRUE(auxv.has_value()) << auxv.error().message;
  EXPECT_EQ(auxv.value(), (std::vector<AuxvEntry>{{AT_PAGESZ, 4096}, {AT_NULL, 0}, {AT_BASE, 1}}));
  EXPECT_EQ(FindAuxv(auxv.value(), AT_PAGESZ), 4096U);
}

TEST(AuxvTest, EntriesAfterTheEndMarkAreNotFound) {
  const std::vector<AuxvEntry> auxv = {{AT_PAGESZ, 4096}, {AT_NULL, 0}, {AT_BASE, 1}};
  EXPECT_FALSE(FindAuxv(auxv, AT_BASE));
  EXPECT_FALSE(FindAuxv(auxv, AT_ENTRY));
  EXPECT_FALSE(FindAuxv({}, AT_ENTRY));
}

TEST(AuxvTest, HalfAPairIsRefused) {
  EXPECT_EQ(ParseAuxv(AsBytes("0123456789abcdef01234567"sv)).error().message,
            "entry at offset 16: 8 bytes left of the 16 of a pair");
}

TEST(AuxvTest, OurOwnVectorIsRead) {
  const auto auxv = ReadAuxv(getpid());
  ASSERT_TRUE(auxv.has_value()) << auxv.error().message;
  for (const uint64_t type : {AT_ENTRY, AT_RANDOM, AT_SYSINFO_EHDR, AT_PAGESZ}) {
    EXPECT_EQ(FindAuxv(auxv.value(), type), getauxval(type));
  }
}

}  // namespace
}  // namespace ckpt
