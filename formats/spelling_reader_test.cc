#include "formats/spelling_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "formats/spelling.h"

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::Optional;

uint64_t Magnitude(std::string_view text) { return ReadInteger(text).value().magnitude; }

TEST(ReadInteger, KnowsTheRadixesOfPython) {
  EXPECT_EQ(Magnitude("31"), 31u);
  EXPECT_EQ(Magnitude("0x1f"), 31u);
  EXPECT_EQ(Magnitude("0o37"), 31u);
  EXPECT_EQ(Magnitude("0b11111"), 31u);
  EXPECT_EQ(Magnitude("18446744073709551615"), UINT64_MAX);
  EXPECT_TRUE(ReadInteger("-0x1").value().negative);
}

TEST(ReadInteger, RefusesWhatIsNone) {
  for (const char* text : {"", "-", "0x", "1a", "0xg", " 1", "1 ", "18446744073709551616", "--1"}) {
    EXPECT_FALSE(ReadInteger(text)) << text;
  }
}

TEST(ReadFlags, IsTheReverseOfSpellFlags) {
  for (const char* table :
       {"mmap.prot", "mmap.flags", "mmap.status", "rfile.flags", "seals.flags", "pmap.flags"}) {
    const NameTable names = *FindFlagNames(table);
    for (const uint64_t value : {0ull, 1ull, 7ull, 0x123ull, 0xffffffffull, 0x8000000000ull}) {
      EXPECT_THAT(ReadFlags(names, SpellFlags(names, value)), Optional(value)) << table;
    }
  }
}

TEST(ReadFlags, TakesNoneAndRefusesNamesOfOtherTables) {
  EXPECT_THAT(ReadFlags(*FindFlagNames("mmap.status"), "VMA_AREA_NONE"), Optional(0u));
  EXPECT_THAT(ReadFlags(*FindFlagNames("mmap.prot"), "PROT_READ|0x10"), Optional(0x11u));
  EXPECT_FALSE(ReadFlags(*FindFlagNames("mmap.prot"), "MAP_SHARED"));
  EXPECT_FALSE(ReadFlags(*FindFlagNames("mmap.prot"), "PROT_READ |"));
}

TEST(ReadDevice, IsTheReverseOfSpellDevice) {
  for (const uint64_t device :
       {0ull, 0x801ull, 0x800001ull, 0xffffffffull, 0xfedcba9876543210ull}) {
    EXPECT_THAT(ReadKernelDevice(SpellKernelDevice(device)), Optional(device));
    EXPECT_THAT(ReadUserDevice(SpellUserDevice(device)), Optional(device));
  }
}

TEST(ReadDevice, RefusesWhatIsNone) {
  for (const char* text : {"", "8", "8:", ":1", "8:1:1", "a:1", "8:1048576"}) {
    EXPECT_FALSE(ReadKernelDevice(text)) << text;
  }
  EXPECT_FALSE(ReadUserDevice("8:4294967296"));
}

TEST(ReadIpAddress, GivesTheWordsOfTheFormat) {
  EXPECT_THAT(ReadIpAddress("127.0.0.1"), Optional(ElementsAre(0x0100007f)));
  EXPECT_THAT(ReadIpAddress("::1"), Optional(ElementsAre(0, 0, 0, 0x01000000)));
  EXPECT_FALSE(ReadIpAddress("127.0.0"));
  EXPECT_FALSE(ReadIpAddress(std::string_view("127.0.0.1\0", 10)));
}

TEST(ReadUnixName, IsTheReverseOfSpellUnixNameButForLineEnds) {
  for (const std::string& name :
       {std::string("/tmp/x\0", 7), std::string("a=b c\td\xff\xfe\x7f~"), std::string("trail "),
        std::string(200, 'x'), std::string(" a\n b "), std::string("=41==\n")}) {
    EXPECT_EQ(ReadUnixName(SpellUnixName(AsBytes(name))), name);
  }
  EXPECT_NE(ReadUnixName(SpellUnixName(AsBytes("a\nb\r\n"))), "a\nb\r\n");
}

}  // namespace
}  // namespace ckpt
