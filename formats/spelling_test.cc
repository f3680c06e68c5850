#include "formats/spelling.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ckpt {
namespace {

using testing::Optional;

TEST(SpellFlags, JoinsNamesInAscendingOrderAndPutsUnnamedBitsLastAsHex) {
  const NameTable prot = *FindFlagNames("mmap.prot");
  EXPECT_EQ(SpellFlags(prot, 0), "");
  EXPECT_EQ(SpellFlags(prot, 5), "PROT_READ | PROT_EXEC");
  EXPECT_EQ(SpellFlags(prot, 0x1001), "PROT_READ | 0x1000");
  EXPECT_EQ(SpellFlags(prot, 0x30), "0x30");
}

TEST(FindFlagNames, KnowsTheTablesOfTheFormatAndNoOther) {
  for (const char* table :
       {"mmap.prot", "mmap.flags", "mmap.status", "rfile.flags", "seals.flags", "pmap.flags"}) {
    EXPECT_TRUE(FindFlagNames(table)) << table;
  }
  EXPECT_FALSE(FindFlagNames("mmap"));
}

TEST(FindFlagNames, TablesHoldSingleBitsInAscendingOrder) {
  for (const char* table :
       {"mmap.prot", "mmap.flags", "mmap.status", "rfile.flags", "seals.flags", "pmap.flags"}) {
    uint64_t last = 0;
    const NameTable names = *FindFlagNames(table);
    for (const NamedValue& flag : names) {
      EXPECT_EQ(flag.value & (flag.value - 1), 0u) << flag.name;
      EXPECT_GT(flag.value, last) << flag.name;
      last = flag.value;
    }
  }
}

TEST(FindDictionary, DependsOnTheField) {
  EXPECT_EQ(FindName(*FindDictionary("sk", "family"), 10), "INET6");
  EXPECT_EQ(FindName(*FindDictionary("sk", "type"), 10), "PACKET");
  EXPECT_EQ(FindName(*FindDictionary("sk", "state"), 10), "LISTEN");
  EXPECT_EQ(FindName(*FindDictionary("gen", "task_state"), 6), "Stopped");
  EXPECT_FALSE(FindName(*FindDictionary("gen", "task_state"), 2));
  EXPECT_FALSE(FindDictionary("gen", "family"));
}

TEST(SpellHex, ShowsNegativeNumbersWithAMinus) {
  EXPECT_EQ(SpellHex(uint64_t{31}), "0x1f");
  EXPECT_EQ(SpellHex(UINT64_MAX), "0xffffffffffffffff");
  EXPECT_EQ(SpellHex(int64_t{-1}), "-0x1");
}

TEST(SpellDevice, KnowsBothEncodings) {
  EXPECT_EQ(SpellKernelDevice(0x800001), "8:1");
  EXPECT_EQ(SpellKernelDevice(0xffffffff), "4095:1048575");
  EXPECT_EQ(SpellUserDevice(0x801), "8:1");
  EXPECT_EQ(SpellUserDevice(0xffffffff), "4095:1048575");
}

std::vector<uint32_t> Words(const std::string& address) {
  std::vector<uint32_t> words(4);
  EXPECT_EQ(inet_pton(AF_INET6, address.c_str(), words.data()), 1) << address;
  return words;
}

TEST(SpellIpAddress, ShortensTheLongestRunOfZeros) {
  for (const char* address : {"::", "::1", "fe80::1", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8",
                              "1:0:3:4:5:6:7:8", "1::", "0:1::", "::ffff:403:201"}) {
    EXPECT_THAT(SpellIpAddress(Words(address)), Optional(std::string(address)));
  }
}

TEST(SpellIpAddress, TakesOneWordAsIpv4AndNothingButOneOrFour) {
  EXPECT_THAT(SpellIpAddress(std::vector<uint32_t>{0x0100007f}),
              Optional(std::string("127.0.0.1")));
  EXPECT_FALSE(SpellIpAddress({}));
  EXPECT_FALSE(SpellIpAddress(std::vector<uint32_t>{1, 2}));
  EXPECT_FALSE(SpellIpAddress(std::vector<uint32_t>{1, 2, 3, 4, 5}));
}

std::string UnixName(std::string_view name) { return SpellUnixName(AsBytes(name)); }

// The expected texts are those that crit 3.17.1 prints.
TEST(SpellUnixName, EscapesWhatIsNotPrintable) {
  EXPECT_EQ(UnixName(""), "");
  EXPECT_EQ(UnixName({"/tmp/x\0", 7}), "/tmp/x=00");
  EXPECT_EQ(UnixName({"\0abstract", 9}), "=00abstract");
  EXPECT_EQ(UnixName("a=b c\td\xff\xfe\x7f~"), "a=3Db c\td=FF=FE=7F~");
}

TEST(SpellUnixName, KeepsLineEndsButEscapesBlanksBeforeThem) {
  EXPECT_EQ(UnixName("trail "), "trail=20");
  EXPECT_EQ(UnixName("trail\t"), "trail=09");
  EXPECT_EQ(UnixName(" a\n b "), " a\n b=20");
  EXPECT_EQ(UnixName("blank \nx"), "blank=20\nx");
  EXPECT_EQ(UnixName("a\nb\rc\r\n"), "a\nb\rc\n");
  EXPECT_EQ(UnixName("a\r\nb\n"), "a\r\nb\r\n");
  EXPECT_EQ(UnixName(".\n.x\n."), "=2E\n.x\n=2E");
}

TEST(SpellUnixName, BreaksLinesAt76Characters) {
  EXPECT_EQ(UnixName(std::string(76, 'x')), std::string(76, 'x'));
  EXPECT_EQ(UnixName(std::string(100, 'x')), std::string(75, 'x') + "=\n" + std::string(25, 'x'));
  EXPECT_EQ(UnixName(std::string(74, 'x') + "\xff"), std::string(74, 'x') + "=\n=FF");
}

}  // namespace
}  // namespace ckpt
