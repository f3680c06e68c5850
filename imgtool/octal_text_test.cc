#include "imgtool/octal_text.h"

#include <gtest/gtest.h>

#include <string>

namespace ckpt {
namespace {

TEST(OctalTextTest, EveryByteComesBack) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  const std::string text = EscapeOctal(bytes, " #");
  for (const char character : text) EXPECT_TRUE(character > ' ' && character < '\x7f');
  EXPECT_EQ(UnescapeOctal(text).value(), bytes);
}

TEST(OctalTextTest, PrintableTextStaysReadable) {
  EXPECT_EQ(EscapeOctal("/a b=c#d"), "/a b=c#d");
  EXPECT_EQ(EscapeOctal("/a b\\\n\xff", " "), "/a\\040b\\134\\012\\377");
}

TEST(OctalTextTest, ABrokenEscapeIsNamedWithItsPlace) {
  for (const char* text : {"/a\\", "/a\\04", "/a\\048", "/a\\400", "/a\\n00"}) {
    const auto result = UnescapeOctal(text);
    ASSERT_TRUE(result.has_error()) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kBadFormat);
    EXPECT_NE(result.error().message.find("at byte 2: a backslash is followed by three octal"),
              std::string::npos)
        << result.error().message;
  }
}

}  // namespace
}  // namespace ckpt
