#include "formats/wire.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "formats/proto/files.pb.h"

namespace ckpt {
namespace {

using Steps = std::vector<WireStep>;

std::string ErrorOf(const Result<std::string>& result) {
  return result.has_error() ? result.error().message : "(no error)";
}

std::string ErrorOfReading(std::string_view message) {
  auto fields = ReadWireFields(AsBytes(message));
  return fields.has_error() ? fields.error().message : "(no error)";
}

// A file entry with an unknown field in front, between and inside.
std::string SampleMessage() {
  std::string reg = WireValue::Varint(7).Encode(1) + WireValue::Varint(1).Encode(1000) +
                    WireValue::LengthDelimited(AsBytes("/old")).Encode(6) +
                    WireValue::ZigZag(-1).Encode(7);
  return WireValue::Fixed32(9).Encode(999) + WireValue::Varint(1).Encode(1) +
         WireValue::Varint(7).Encode(2) + WireValue::LengthDelimited(AsBytes(reg)).Encode(3) +
         WireValue::Fixed64(5).Encode(998);
}

TEST(WireTest, WalksFieldsInTheirOrderWithTheirBytes) {
  std::string message = SampleMessage();
  auto fields = ReadWireFields(AsBytes(message));
  ASSERT_TRUE(fields.has_value());
  std::vector<uint32_t> numbers;
  std::string together;
  for (const WireField& field : fields.value()) {
    numbers.push_back(field.number);
    together.append(AsText(field.whole));
  }
  EXPECT_EQ(numbers, (std::vector<uint32_t>{999, 1, 2, 3, 998}));
  EXPECT_EQ(together, message);
  EXPECT_EQ(fields.value()[0].word, 9U);
  EXPECT_EQ(fields.value()[4].word, 5U);
}

TEST(WireTest, ReplacesAFieldOfAnInnerMessageAndNothingElse) {
  std::string message = SampleMessage();
  std::string longer(300, 'x');
  auto changed = ReplaceWireField(AsBytes(message), Steps{{3}, {6}},
                                  WireValue::LengthDelimited(AsBytes(longer)));
  ASSERT_TRUE(changed.has_value());
  auto back = ReplaceWireField(AsBytes(changed.value()), Steps{{3}, {6}},
                               WireValue::LengthDelimited(AsBytes("/old")));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back.value(), message);
  pb::file_entry entry;
  ASSERT_TRUE(entry.ParsePartialFromString(changed.value()));
  EXPECT_EQ(entry.reg().name(), longer);
  EXPECT_EQ(entry.reg().mnt_id(), -1);
  EXPECT_EQ(entry.unknown_fields().field_count(), 2);
}

TEST(WireTest, InsertsAfterTheLastFieldWithoutHigherNumberAndRemovesAgain) {
  std::string message = SampleMessage();
  auto longer = SetWireField(AsBytes(message), Steps{{3}, {8}}, WireValue::Varint(4096));
  ASSERT_TRUE(longer.has_value());
  pb::file_entry entry;
  ASSERT_TRUE(entry.ParsePartialFromString(longer.value()));
  EXPECT_EQ(entry.reg().size(), 4096U);
  auto inner = FindWireField(AsBytes(longer.value()), Steps{{3}});
  ASSERT_TRUE(inner.has_value());
  EXPECT_TRUE(AsText(inner.value().value).ends_with(WireValue::Varint(4096).Encode(8)));
  auto removed = RemoveWireField(AsBytes(longer.value()), Steps{{3}, {8}});
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(removed.value(), message);
}

TEST(WireTest, SetReplacesWhatIsThere) {
  std::string message = SampleMessage();
  auto changed = SetWireField(AsBytes(message), Steps{{3}, {7}}, WireValue::ZigZag(12));
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed.value().size(), message.size());
  pb::file_entry entry;
  ASSERT_TRUE(entry.ParsePartialFromString(changed.value()));
  EXPECT_EQ(entry.reg().mnt_id(), 12);
}

TEST(WireTest, ChoosesAmongFieldsWithOneNumber) {
  std::string message = WireValue::Varint(10).Encode(4) + WireValue::Varint(11).Encode(4) +
                        WireValue::Varint(12).Encode(4);
  auto word = [&](size_t occurrence) {
    return FindWireField(AsBytes(message), Steps{{4, occurrence}}).value().word;
  };
  EXPECT_EQ(word(0), 10U);
  EXPECT_EQ(word(1), 11U);
  EXPECT_EQ(word(kLastOccurrence), 12U);
  auto changed = ReplaceWireField(AsBytes(message), Steps{{4, 1}}, WireValue::Varint(99));
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed.value(), WireValue::Varint(10).Encode(4) + WireValue::Varint(99).Encode(4) +
                                 WireValue::Varint(12).Encode(4));
  EXPECT_EQ(ErrorOf(RemoveWireField(AsBytes(message), Steps{{4, 3}})),
            "no field 4 with index 3, there are 3");
}

TEST(WireTest, RefusesEditsThatDoNotFit) {
  std::string message = SampleMessage();
  EXPECT_EQ(ErrorOf(RemoveWireField(AsBytes(message), Steps{{3}, {14}})), "no field 14");
  EXPECT_EQ(ErrorOf(RemoveWireField(AsBytes(message), Steps{{2}, {1}})),
            "field 2 is no message but has wire type 0");
  EXPECT_EQ(ErrorOf(ReplaceWireField(AsBytes(message), Steps{{3}, {6}}, WireValue::Varint(1))),
            "field 6 has wire type 2, its new value 0");
  EXPECT_EQ(ErrorOf(RemoveWireField(AsBytes(message), Steps(kMaxWireDepth + 1, WireStep{3}))),
            "a path of 65 fields, at most 64 are followed");
}

TEST(WireTest, NamesWhatIsBroken) {
  EXPECT_EQ(ErrorOfReading("\x80"), "the tag at byte 0 of the message is cut short");
  EXPECT_EQ(ErrorOfReading("\x08\x01\x10"), "field 2 at byte 2 of the message is cut short");
  EXPECT_EQ(ErrorOfReading("\x0a\x05_abc"), "field 1 at byte 0 of the message is cut short");
  EXPECT_EQ(ErrorOfReading("\x0d_abc"), "(no error)");
  EXPECT_EQ(ErrorOfReading("\x0d_ab"), "field 1 at byte 0 of the message is cut short");
  EXPECT_EQ(ErrorOfReading("\x0b"),
            "wire type 3 of field 1 at byte 0 of the message, 0, 1, 2 and 5 are allowed");
  EXPECT_EQ(ErrorOfReading(std::string_view("\0\0", 2)),
            "field number 0 at byte 0 of the message, 1 to 536870911 are allowed");
  EXPECT_EQ(ErrorOfReading("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            "field 1 at byte 0 of the message is cut short");
}

TEST(WireTest, EveryPrefixAndFlippedBitEndsInFieldsOrAnError) {
  std::string message = SampleMessage();
  for (size_t size = 0; size < message.size(); ++size) {
    auto changed = SetWireField(AsBytes(message.substr(0, size)), Steps{{3}, {6}},
                                WireValue::LengthDelimited(AsBytes("/new")));
    if (changed.has_error()) {
      EXPECT_FALSE(changed.error().message.empty());
    }
  }
  for (size_t bit = 0; bit < message.size() * 8; ++bit) {
    std::string flipped = message;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    auto fields = ReadWireFields(AsBytes(flipped));
    if (fields.has_error()) {
      EXPECT_EQ(fields.error().code, ErrorCode::kBadFormat) << fields.error().message;
    }
  }
}

}  // namespace
}  // namespace ckpt
