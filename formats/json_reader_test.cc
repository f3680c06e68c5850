#include "formats/json_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>

#include "formats/byte_source.h"
#include "formats/json_text.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;

// The bytes of a string, or the error.
std::string ReadText(std::string_view json) {
  MemorySource source(AsBytes(json));
  JsonReader reader("x", source);
  std::string_view bytes;
  if (!reader.ReadString(bytes)) return reader.TakeError().message;
  return std::string(bytes);
}

std::string ReadNumber(std::string_view json) {
  MemorySource source(AsBytes(json));
  JsonReader reader("x", source);
  uint64_t magnitude = 0;
  bool negative = false;
  if (!reader.ReadInteger(magnitude, negative)) return reader.TakeError().message;
  return (negative ? "-" : "") + std::to_string(magnitude);
}

std::string ReadBytes(std::string_view json) {
  MemorySource source(AsBytes(json));
  JsonReader reader("x", source);
  if (!reader.BeginBase64()) return reader.TakeError().message;
  std::string bytes;
  std::byte piece[JsonReader::kLeastBase64Bytes];
  while (true) {
    size_t size = 0;
    if (!reader.ReadBase64(piece, size)) return reader.TakeError().message;
    if (size == 0) return bytes;
    bytes += AsText(Bytes(piece, size));
  }
}

TEST(JsonReader, UnescapesStrings) {
  EXPECT_EQ(ReadText(R"("a\"\\\/\b\f\n\r\tz")"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(ReadText(R"("\u00e9\u2028\ud83d\ude00\u0000")"),
            "\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\0"s);
  EXPECT_EQ(ReadText("\"\xc3\xa9\""), "\xc3\xa9");
}

TEST(JsonReader, TakesLoneLowSurrogatesForBytes) {
  EXPECT_EQ(ReadText(R"("/\udcff\udc80x")"), "/\xff\x80x");
}

TEST(JsonReader, RestoresAnyBytesThatJsonTextWrote) {
  std::string bytes;
  for (int high = 0; high < 256; ++high) {
    for (int low : {0, 0x22, 0x5c, 0x7f, 0x80, 0xa0, 0xbf, 0xc3, 0xed, 0xff}) {
      bytes += static_cast<char>(high);
      bytes += static_cast<char>(low);
    }
  }
  std::ostringstream out;
  JsonText text(out, JsonStyle::kPlain);
  text.String(bytes);
  text.Flush();
  EXPECT_EQ(ReadText(out.str()), bytes);
}

TEST(JsonReader, RefusesStringsThatAreNone) {
  EXPECT_EQ(ReadText("\"abc"),
            "x: line 1, column 5: the text ends where the end of a string is "
            "expected");
  EXPECT_EQ(ReadText("\"a\nb\""),
            "x: line 1, column 3: byte 0x0a where a character of a string, or "
            "an escape, is expected");
  EXPECT_EQ(ReadText("\"a\xff\""),
            "x: line 1, column 3: byte 0xff where a character of a string, "
            "or an escape, is expected");
  EXPECT_EQ(ReadText(R"("\x")"), "x: line 1, column 3: 'x' where an escape is expected");
  EXPECT_EQ(ReadText(R"("\u12g4")"),
            "x: line 1, column 6: 'g' where a hexadecimal digit is expected");
  EXPECT_EQ(ReadText(R"("\udc00")"),
            "x: line 1, column 1: \\udc00 alone means no character and no byte");
  EXPECT_EQ(ReadText(R"("\ud83dx")"), "x: line 1, column 8: 'x' where \\u is expected");
  EXPECT_EQ(ReadText("1"), "x: line 1, column 1: '1' where a string is expected");
}

TEST(JsonReader, ReadsWholeNumbersOf64BitsAndASign) {
  EXPECT_EQ(ReadNumber(" 0 "), "0");
  EXPECT_EQ(ReadNumber("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(ReadNumber("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(ReadNumber("18446744073709551616"), "x: line 1, column 1: a number beyond 64 bits");
  EXPECT_EQ(ReadNumber("100000000000000000000"), "x: line 1, column 1: a number beyond 64 bits");
  EXPECT_EQ(ReadNumber("01"), "x: line 1, column 1: a number that begins with 0");
  EXPECT_EQ(ReadNumber("\n\n 1.5"),
            "x: line 3, column 2: a number with a fraction or an exponent where a whole one is "
            "expected");
  EXPECT_EQ(ReadNumber("-"), "x: line 1, column 1: '-' where a whole number is expected");
}

TEST(JsonReader, ReadsBase64HoweverItIsBroken) {
  const std::string line(76, 'Q');
  EXPECT_EQ(ReadBytes("\"" + line + "\\n" + line + "\\n\"").size(), 114u);
  EXPECT_EQ(ReadBytes("\"YW\\nJj\""), "abc");
  EXPECT_EQ(ReadBytes("\"YWJj\\u000a\""), "abc");
  EXPECT_EQ(ReadBytes("\"\""), "");
  EXPECT_EQ(ReadBytes("\"YWJ\""),
            "x: line 1, column 1: base64 that ends in the middle of a group of four");
  EXPECT_EQ(ReadBytes("\"YW-j\""), "x: line 1, column 1: '-' where base64 is expected");
}

TEST(JsonReader, ReadsStringsLongerThanWhatIsVisible) {
  const std::string text(1 << 20, 'x');
  EXPECT_EQ(ReadText("\"" + text + "\""), text);
  EXPECT_EQ(ReadText(std::string(300000, ' ') + "\"" + text + "\\n\""), text + "\n");
}

TEST(JsonReader, TakesNumbersOfAnyCountOfDigits) {
  std::string digits;
  for (uint64_t expected = 0; digits.size() < 20;) {
    const auto digit = static_cast<char>('1' + digits.size() * 7 % 9);
    digits += digit;
    expected = expected * 10 + static_cast<uint64_t>(digit - '0');
    const std::string text = digits + "}                        ";
    MemorySource source(AsBytes(text));
    JsonReader json("x", source);
    json.LookAhead();
    uint64_t number = 0;
    ASSERT_EQ(json.TakeNumber(number), digits.size() <= 18) << digits;
    EXPECT_TRUE(digits.size() > 18 || number == expected) << digits;
  }
}

TEST(JsonReader, TakesNoNumberWithAnotherCharacterInIt) {
  for (size_t at = 0; at < 10; ++at) {
    for (const char odd : {'/', ':', '.', ' ', 'e', '\0', '\xb0'}) {
      std::string text = "1234567890,                      ";
      text[at] = odd;
      MemorySource source(AsBytes(text));
      JsonReader json("x", source);
      json.LookAhead();
      uint64_t number = 0;
      EXPECT_FALSE(json.TakeNumber(number)) << text;
    }
  }
}

// Texts of many windows, with lines of any length.
TEST(JsonReader, GoesBackToAPlaceWithItsLineAndColumn) {
  for (const size_t line : {size_t{1}, size_t{15}, size_t{16}, size_t{40}, size_t{1} << 20}) {
    std::string text;
    while (text.size() < size_t{1} << 20) text += std::string(line, ' ') + '\n';
    text += "  ?";
    MemorySource source(AsBytes(text));
    JsonReader json("x", source);
    std::string passed;
    JsonReader::Position begin;
    for (size_t parts = 0; parts < 4; ++parts) {
      const std::string_view ahead = json.LookAhead();
      const std::string_view part = ahead.substr(0, ahead.size() / 2 + parts);
      if (parts == 1) passed.clear();
      passed += part;
      const JsonReader::Position at = json.PassOver(part.size());
      if (parts <= 1) begin = at;
    }
    json.GoBack(begin, passed);
    EXPECT_EQ(json.LookAhead().substr(0, 100000), text.substr(begin.offset, 100000));
    std::string_view bytes;
    EXPECT_FALSE(json.ReadString(bytes));
    EXPECT_EQ(json.TakeError().message,
              fmt::format("x: line {}, column 3: '?' where a string is expected",
                          std::ranges::count(text, '\n') + 1));
  }
}

}  // namespace
}  // namespace ckpt
