#include "base/byte_reader.h"

#include <gtest/gtest.h>

#include <string_view>

namespace ckpt {
namespace {

using std::string_view_literals::operator""sv;

TEST(ByteReaderTest, ReadsLittleEndianNumbers) {
  ByteReader reader(AsBytes("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"sv));
  EXPECT_EQ(reader.ReadU32(), 0x04030201U);
  EXPECT_EQ(reader.ReadU64(), 0x0c0b0a0908070605ULL);
  EXPECT_TRUE(reader.AtEnd());
}

TEST(ByteReaderTest, AReadPastTheEndReturnsNothingAndStaysPut) {
  ByteReader reader(AsBytes("abc"sv));
  EXPECT_FALSE(reader.ReadU32());
  EXPECT_FALSE(reader.ReadBytes(SIZE_MAX));
  EXPECT_EQ(reader.offset(), 0U);
  EXPECT_EQ(AsText(*reader.ReadBytes(2)), "ab");
  EXPECT_EQ(AsText(reader.ReadRest()), "c");
}

TEST(ByteReaderTest, VarintsEndAtTenBytes) {
  EXPECT_EQ(ByteReader(AsBytes("\xac\x02"sv)).ReadVarint(), 300U);
  EXPECT_EQ(ByteReader(AsBytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv)).ReadVarint(),
            UINT64_MAX);
  EXPECT_FALSE(ByteReader(AsBytes("\x80\x80"sv)).ReadVarint());
  EXPECT_FALSE(ByteReader(AsBytes("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv)).ReadVarint());
}

}  // namespace
}  // namespace ckpt
