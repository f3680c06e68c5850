#include "imgtool/memory/address_text.h"

#include <charconv>
#include <limits>
#include <optional>

namespace ckpt {
namespace {

std::optional<uint64_t> ParseHex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

Result<AddressRange> ParseAddressRange(std::string_view text) {
  const size_t sign = text.find_first_of("-+");
  if (sign != std::string_view::npos) {
    const std::optional<uint64_t> start = ParseHex(text.substr(0, sign));
    const std::optional<uint64_t> second = ParseHex(text.substr(sign + 1));
    const bool is_size = text[sign] == '+';
    const bool fits =
        start && second && (!is_size || *second <= std::numeric_limits<uint64_t>::max() - *start);
    if (fits) {
      const AddressRange range = {*start, is_size ? *start + *second : *second};
      if (range.start < range.end) return range;
    }
  }
  return MakeError(ErrorCode::kUsage,
                   "'{}' is no range of addresses: expected START-END or START+BYTES, hexadecimal",
                   text);
}

}  // namespace ckpt
