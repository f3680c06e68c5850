// The reverse of spelling.h: values from the texts that a pretty decode, ours or crit's, has for
// them. Nothing where the text is none.
#ifndef FORMATS_SPELLING_READER_H_
#define FORMATS_SPELLING_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/spelling.h"

namespace ckpt {

// A whole number that may be negative, of up to 64 bits.
struct SpeltInteger {
  uint64_t magnitude = 0;
  bool negative = false;
};

// "31", "0x1f", "0o37", "0b11111", "-0x1"; as Python's int(text, 0).
std::optional<SpeltInteger> ReadInteger(std::string_view text);

std::optional<uint64_t> FindValue(NameTable names, std::string_view name);

// Names and numbers joined with "|", blanks around them aside; the empty text is 0.
std::optional<uint64_t> ReadFlags(NameTable names, std::string_view text);

// "major:minor"
std::optional<uint64_t> ReadKernelDevice(std::string_view text);
std::optional<uint64_t> ReadUserDevice(std::string_view text);

// One word of an IPv4 address, four of an IPv6 address, as the format stores them.
std::optional<std::vector<uint32_t>> ReadIpAddress(std::string_view text);

// Quoted-printable text; an escape that is none stands for itself, as in crit.
std::string ReadUnixName(std::string_view text);

}  // namespace ckpt

#endif  // FORMATS_SPELLING_READER_H_
