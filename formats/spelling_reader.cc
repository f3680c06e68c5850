#include "formats/spelling_reader.h"

#include <arpa/inet.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>

namespace ckpt {
namespace {

struct Radix {
  std::string_view prefix;
  int base;
};

constexpr Radix kRadixes[] = {{"0x", 16}, {"0X", 16}, {"0o", 8}, {"0O", 8}, {"0b", 2}, {"0B", 2}};

std::optional<uint64_t> ReadDigits(std::string_view text, int base) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<uint64_t> ReadMagnitude(std::string_view text) {
  for (const Radix& radix : kRadixes) {
    if (text.starts_with(radix.prefix)) return ReadDigits(text.substr(2), radix.base);
  }
  return ReadDigits(text, 10);
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

struct Device {
  uint64_t major;
  uint64_t minor;
};

std::optional<Device> SplitDevice(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto major = ReadDigits(text.substr(0, colon), 10);
  const auto minor = ReadDigits(text.substr(colon + 1), 10);
  if (!major || !minor) return std::nullopt;
  return Device{*major, *minor};
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// How long the line end at the front of `text` is, 0 where there is none.
size_t LineEndSize(std::string_view text) {
  if (text.starts_with("\r\n")) return 2;
  return text.starts_with('\n') ? 1 : 0;
}

}  // namespace

std::optional<SpeltInteger> ReadInteger(std::string_view text) {
  SpeltInteger integer;
  if (text.starts_with('-')) {
    integer.negative = true;
    text.remove_prefix(1);
  }
  const auto magnitude = ReadMagnitude(text);
  if (!magnitude) return std::nullopt;
  integer.magnitude = *magnitude;
  return integer;
}

std::optional<uint64_t> FindValue(NameTable names, std::string_view name) {
  const auto found = std::ranges::find(names, name, &NamedValue::name);
  if (found == names.end()) return std::nullopt;
  return found->value;
}

std::optional<uint64_t> ReadFlags(NameTable names, std::string_view text) {
  if (text.empty()) return 0;
  uint64_t value = 0;
  while (true) {
    const size_t bar = text.find('|');
    const std::string_view piece = Trimmed(text.substr(0, bar));
    // The one flag that is no bit, and so is in no table.
    if (const auto flag = FindValue(names, piece)) {
      value |= *flag;
    } else if (piece != "VMA_AREA_NONE") {
      const auto bits = ReadMagnitude(piece);
      if (!bits) return std::nullopt;
      value |= *bits;
    }
    if (bar == std::string_view::npos) return value;
    text.remove_prefix(bar + 1);
  }
}

std::optional<uint64_t> ReadKernelDevice(std::string_view text) {
  const auto device = SplitDevice(text);
  constexpr uint64_t kMinorLimit = 1 << 20;
  if (!device || device->minor >= kMinorLimit || device->major >= uint64_t{1} << 44) {
    return std::nullopt;
  }
  return device->major << 20 | device->minor;
}

std::optional<uint64_t> ReadUserDevice(std::string_view text) {
  const auto device = SplitDevice(text);
  if (!device || device->major > UINT32_MAX || device->minor > UINT32_MAX) return std::nullopt;
  return makedev(static_cast<unsigned>(device->major), static_cast<unsigned>(device->minor));
}

std::optional<std::vector<uint32_t>> ReadIpAddress(std::string_view text) {
  const std::string address(text);
  if (address.find('\0') != std::string::npos) return std::nullopt;
  std::vector<uint32_t> words(1);
  if (inet_pton(AF_INET, address.c_str(), words.data()) == 1) return words;
  words.resize(4);
  if (inet_pton(AF_INET6, address.c_str(), words.data()) == 1) return words;
  return std::nullopt;
}

std::string ReadUnixName(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    size_t taken = 1;
    if (text[0] != '=') {
      name += text[0];
    } else if (const size_t line_end = LineEndSize(text.substr(1)); line_end > 0) {
      taken = 1 + line_end;
    } else if (text.size() >= 3 && HexDigit(text[1]) >= 0 && HexDigit(text[2]) >= 0) {
      name += static_cast<char>(HexDigit(text[1]) << 4 | HexDigit(text[2]));
      taken = 3;
    } else {
      name += '=';
    }
    text.remove_prefix(taken);
  }
  return name;
}

}  // namespace ckpt
