#include "formats/json_text.h"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <string>

namespace ckpt {
namespace {

std::string Written(JsonStyle style, const std::function<void(JsonText&)>& write) {
  std::ostringstream out;
  JsonText text(out, style);
  write(text);
  text.Flush();
  return out.str();
}

void WriteSample(JsonText& text) {
  text.BeginObject();
  text.Key("a");
  text.Number(uint64_t{18446744073709551615u});
  text.Key("b");
  text.BeginArray();
  text.Number(-1);
  text.Bool(true);
  text.BeginObject();
  text.EndObject();
  text.EndArray();
  text.Key("c");
  text.Name("x | y");
  text.EndObject();
}

TEST(JsonText, WritesPlainOnOneLineWithTheBlanksOfCrit) {
  EXPECT_EQ(Written(JsonStyle::kPlain, WriteSample),
            R"({"a": 18446744073709551615, "b": [-1, true, {}], "c": "x | y"})");
}

TEST(JsonText, WritesPrettyWithFourSpacesALevel) {
  EXPECT_EQ(Written(JsonStyle::kPretty, WriteSample), R"({
    "a": 18446744073709551615,
    "b": [
        -1,
        true,
        {}
    ],
    "c": "x | y"
})");
}

std::string StringOf(std::string_view bytes) {
  return Written(JsonStyle::kPlain, [&](JsonText& text) { text.String(bytes); });
}

TEST(JsonText, EscapesQuotesBackslashesAndControls) {
  EXPECT_EQ(StringOf("a\"b\\c\b\f\n\r\t\v\x7f/"), R"("a\"b\\c\b\f\n\r\t\u000b\u007f/")");
  EXPECT_EQ(StringOf({"\0", 1}), R"("\u0000")");
}

TEST(JsonText, WritesUtf8AsTheCharactersItMeans) {
  EXPECT_EQ(StringOf("\xc3\xa9\xe2\x80\xa8"), R"("\u00e9\u2028")");
  EXPECT_EQ(StringOf("\xf0\x9f\x98\x80"), R"("\ud83d\ude00")");
}

TEST(JsonText, WritesBytesThatAreNoUtf8AsLoneLowSurrogates) {
  EXPECT_EQ(StringOf("/\xff\xfe"
                     "b"),
            R"("/\udcff\udcfeb")");
  EXPECT_EQ(StringOf("\xc3"), R"("\udcc3")");                                // cut short
  EXPECT_EQ(StringOf("\xc0\x80"), R"("\udcc0\udc80")");                      // overlong
  EXPECT_EQ(StringOf("\xe0\x80\x80"), R"("\udce0\udc80\udc80")");            // overlong
  EXPECT_EQ(StringOf("\xed\xa0\x80"), R"("\udced\udca0\udc80")");            // a surrogate
  EXPECT_EQ(StringOf("\xf4\x90\x80\x80"), R"("\udcf4\udc90\udc80\udc80")");  // past U+10FFFF
  EXPECT_EQ(StringOf("\xe2\x80x"), R"("\udce2\udc80x")");
}

TEST(JsonText, WritesBase64InLinesOf76CharactersEachEnded) {
  const std::string bytes(70, '\0');
  EXPECT_EQ(Written(JsonStyle::kPlain, [&](JsonText& text) { text.Base64(AsBytes(bytes)); }),
            '"' + std::string(76, 'A') + "\\n" + std::string(18, 'A') + "==\\n\"");
  EXPECT_EQ(Written(JsonStyle::kPlain, [](JsonText& text) { text.Base64({}); }), "\"\"");
}

TEST(JsonText, ClosesWhatWasBegunBeforeAnError) {
  EXPECT_EQ(Written(JsonStyle::kPlain,
                    [](JsonText& text) {
                      text.BeginObject();
                      text.Key("a");
                      const size_t depth = text.depth();
                      text.BeginArray();
                      text.BeginObject();
                      text.Key("half");
                      text.CloseTo(depth);
                      text.Key("error");
                      text.String("why");
                      text.EndObject();
                    }),
            R"({"a": [{"half": null}], "error": "why"})");
}

TEST(JsonText, TellsWhenTheStreamTakesNoMore) {
  std::ostream nowhere(nullptr);
  JsonText text(nowhere, JsonStyle::kPlain);
  text.BeginArray();
  while (!text.stopped()) text.Name("more");
  SUCCEED();
}

}  // namespace
}  // namespace ckpt
