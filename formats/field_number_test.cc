#include "formats/field_number.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

constexpr uint64_t kMinusOne = UINT64_MAX;

TEST(FieldNumber, FitsWhatTheKindCanHold) {
  EXPECT_TRUE(FitsKind(FieldKind::kUint32, 0xffffffff));
  EXPECT_FALSE(FitsKind(FieldKind::kUint32, 0x100000000));
  EXPECT_TRUE(FitsKind(FieldKind::kInt32, kMinusOne));
  EXPECT_FALSE(FitsKind(FieldKind::kInt32, 0xffffffff));
  EXPECT_FALSE(FitsKind(FieldKind::kBool, 2));
  EXPECT_TRUE(FitsKind(FieldKind::kUint64, kMinusOne));
}

TEST(FieldNumber, MeansWhatProtobufReads) {
  EXPECT_EQ(MeantNumber(FieldKind::kUint32, 0x100000007), 7u);
  EXPECT_EQ(MeantNumber(FieldKind::kInt32, 0xffffffff), kMinusOne);
  EXPECT_EQ(MeantNumber(FieldKind::kSint64, 1), kMinusOne);
  EXPECT_EQ(MeantNumber(FieldKind::kSint32, 2), 1u);
  EXPECT_EQ(MeantNumber(FieldKind::kInt64, kMinusOne), kMinusOne);
}

TEST(FieldNumber, SpellsNamesInBothStylesAndTheRestInPretty) {
  JsonFieldSchema color;
  color.kind = FieldKind::kEnum;
  color.names = {{"RED", 1}};
  EXPECT_EQ(SpellNumber(color, JsonStyle::kPlain, 1), "RED");
  EXPECT_EQ(SpellNumber(color, JsonStyle::kPretty, 2), std::nullopt);
  JsonFieldSchema bits;
  bits.names = {{"A", 1}, {"B", 2}};
  bits.spelling = Spelling::kFlags;
  EXPECT_EQ(SpellNumber(bits, JsonStyle::kPlain, 3), std::nullopt);
  EXPECT_EQ(SpellNumber(bits, JsonStyle::kPretty, 7), "A | B | 0x4");
  JsonFieldSchema hex;
  hex.kind = FieldKind::kInt32;
  hex.spelling = Spelling::kHex;
  EXPECT_EQ(SpellNumber(hex, JsonStyle::kPretty, kMinusOne), "-0x1");
  hex.kind = FieldKind::kUint64;
  EXPECT_EQ(SpellNumber(hex, JsonStyle::kPretty, kMinusOne), "0xffffffffffffffff");
}

}  // namespace
}  // namespace ckpt
