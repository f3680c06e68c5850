#include "formats/tar_header.h"

#include <algorithm>

namespace ckpt {

namespace {

std::string_view FieldOf(std::string_view block, TarField field) {
  return block.substr(field.offset, field.size);
}

struct Sums {
  uint64_t of_unsigned = 0;
  int64_t of_signed = 0;
};

Sums SumsOf(std::string_view block) {
  Sums sums;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool is_checksum =
        i >= kTarChecksum.offset && i < kTarChecksum.offset + kTarChecksum.size;
    const char byte = is_checksum ? ' ' : block[i];
    sums.of_unsigned += static_cast<unsigned char>(byte);
    sums.of_signed += static_cast<signed char>(byte);
  }
  return sums;
}

Result<uint64_t> BinaryNumber(std::string_view digits) {
  uint64_t number = static_cast<unsigned char>(digits[0]) & 0x7f;
  for (const char digit : digits.substr(1)) {
    if (number >> 56 != 0) return MakeError(ErrorCode::kBadFormat, "a number of more than 64 bits");
    number = number << 8 | static_cast<unsigned char>(digit);
  }
  return number;
}

}  // namespace

std::string TarText(std::string_view block, TarField field) {
  const std::string_view text = FieldOf(block, field);
  return std::string(text.substr(0, text.find('\0')));
}

void SetTarText(std::string& block, TarField field, std::string_view text) {
  CKPT_CHECK(text.size() <= field.size);
  std::string filled(text);
  filled.resize(field.size, '\0');
  block.replace(field.offset, field.size, filled);
}

Result<uint64_t> TarNumber(std::string_view block, TarField field) {
  std::string_view digits = FieldOf(block, field);
  if ((static_cast<unsigned char>(digits[0]) & 0x80) != 0) return BinaryNumber(digits);
  digits = digits.substr(0, digits.find('\0'));
  while (digits.starts_with(' ')) digits.remove_prefix(1);
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  uint64_t number = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '7') {
      return MakeError(ErrorCode::kBadFormat, "\"{}\" is no octal number", digits);
    }
    number = number << 3 | static_cast<uint64_t>(digit - '0');
  }
  return number;
}

void SetTarNumber(std::string& block, TarField field, uint64_t number) {
  const std::string octal = fmt::format("{:0{}o}", number, field.size - 1);
  if (octal.size() < field.size) {
    SetTarText(block, field, octal);
    return;
  }
  std::string binary(field.size, '\0');
  for (size_t i = 0; i < sizeof number; ++i) {
    binary[field.size - 1 - i] = static_cast<char>(number >> 8 * i & 0xff);
  }
  binary[0] = '\x80';
  SetTarText(block, field, binary);
}

bool TarChecksumHolds(std::string_view block) {
  const auto stored = TarNumber(block, kTarChecksum);
  if (stored.has_error()) return false;
  const Sums sums = SumsOf(block);
  return stored.value() == sums.of_unsigned ||
         static_cast<int64_t>(stored.value()) == sums.of_signed;
}

void SetTarChecksum(std::string& block) {
  std::string digits = fmt::format("{:06o}", SumsOf(block).of_unsigned);
  digits += '\0';
  digits += ' ';
  SetTarText(block, kTarChecksum, digits);
}

}  // namespace ckpt
