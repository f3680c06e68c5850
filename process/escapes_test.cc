#include "process/escapes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace ckpt {
namespace {

TEST(EscapesTest, AnyThreeOctalDigitsStandForAByte) {
  EXPECT_EQ(UnescapeOctal(R"(sp\040ace\011tab\012line\134slash\043hash)"),
            "sp ace\ttab\nline\\slash#hash");
  EXPECT_EQ(UnescapeOctal(R"(\377\001)"), "\xff\x01");
}

TEST(EscapesTest, EveryByteComesBack) {
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(UnescapeOctal(fmt::format("a\\{:03o}b", byte)),
              std::string("a") + static_cast<char>(byte) + "b");
  }
}

TEST(EscapesTest, WhatIsNoEscapeStays) {
  for (const char* text :
       {"", "\\", "\\1", "\\12", "a\\08x", "\\400", "\\x41", "\\\\", "\xff\xfe"}) {
    EXPECT_EQ(UnescapeOctal(text), text);
  }
}

TEST(EscapesTest, AnUnescapedBackslashStartsNoOtherEscape) {
  EXPECT_EQ(UnescapeOctal(R"(\134040)"), "\\040");
}

TEST(EscapesTest, OnlyTheNewlineIsUnescapedInMaps) {
  EXPECT_EQ(UnescapeNewlines(R"(/a\012b\040c\134)"), "/a\nb\\040c\\134");
}

}  // namespace
}  // namespace ckpt
