#include "imgtool/memory/address_text.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

std::pair<uint64_t, uint64_t> Parsed(std::string_view text) {
  const auto range = ParseAddressRange(text);
  if (range.has_error()) return {0, 0};
  return {range.value().start, range.value().end};
}

using Ends = std::pair<uint64_t, uint64_t>;

TEST(ParseAddressRange, TakesAddressesAsMapsHasThem) {
  EXPECT_EQ(Parsed("7f00-7fff"), Ends(0x7f00, 0x7fff));
  EXPECT_EQ(Parsed("0x10-0x20"), Ends(0x10, 0x20));
  EXPECT_EQ(Parsed("0-ffffffffffffffff"), Ends(0, ~uint64_t{0}));
}

TEST(ParseAddressRange, TakesAStartAndASize) {
  EXPECT_EQ(Parsed("1000+10"), Ends(0x1000, 0x1010));
  EXPECT_EQ(Parsed("0xfffffffffffffff0+f"), Ends(0xfffffffffffffff0, ~uint64_t{0}));
}

TEST(ParseAddressRange, RefusesWhatIsNoRange) {
  for (const char* text : {"", "-", "1000", "1000-", "-1000", "2000-1000", "1000-1000", "1000+0",
                           "0x-1", "10 -20", "g-h", "fffffffffffffff0+10", "1-10000000000000000"}) {
    const auto range = ParseAddressRange(text);
    ASSERT_TRUE(range.has_error()) << text;
    EXPECT_EQ(range.error().code, ErrorCode::kUsage);
  }
  EXPECT_EQ(ParseAddressRange("here").error().message,
            "'here' is no range of addresses: expected START-END or START+BYTES, hexadecimal");
}

}  // namespace
}  // namespace ckpt
