#include "imgtool/memory/hex_rows.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <string_view>

namespace ckpt {
namespace {

constexpr size_t kAddressDigits = 12;  // of a 48-bit address
constexpr size_t kHexColumns = 3 * kBytesPerRow + 2;

char Printable(std::byte byte) {
  const char c = static_cast<char>(byte);
  return c >= ' ' && c <= '~' ? c : '.';
}

uint64_t RowStart(uint64_t address) { return address / kBytesPerRow * kBytesPerRow; }

size_t RoomInRow(uint64_t address) {
  return static_cast<size_t>(RowStart(address) + kBytesPerRow - address);
}

}  // namespace

std::string HexRow(uint64_t address, Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto value = static_cast<uint8_t>(bytes[i]);
    if (i == kBytesPerRow / 2) hex += ' ';
    hex += kDigits[value >> 4];
    hex += kDigits[value & 15];
    hex += ' ';
    text += Printable(bytes[i]);
  }
  hex.resize(kHexColumns, ' ');
  return fmt::format("{:0{}x}  {}|{}|\n", address, kAddressDigits, hex, text);
}

void HexRows::Add(uint64_t address, Bytes bytes) {
  while (!bytes.empty() && out_) {
    const size_t taken = std::min(bytes.size(), RoomInRow(address));
    const bool is_whole = taken == kBytesPerRow;
    if (is_whole) {
      AddRow(address, bytes.first(taken));
    } else {
      if (partial_.empty()) partial_start_ = address;
      partial_ += AsText(bytes.first(taken));
      if (RoomInRow(address) == taken) FlushPartial();
    }
    address += taken;
    bytes = bytes.subspan(taken);
  }
  end_ = address;
}

void HexRows::AddZeros(uint64_t address, uint64_t size_bytes) {
  static constexpr std::byte kZeros[3 * kBytesPerRow] = {};
  const uint64_t end = address + size_bytes;
  // The end of a row begun, a row, and one more for the star; the rest says nothing new but what
  // is left of the last row.
  const uint64_t head = RoomInRow(address) % kBytesPerRow + 2 * kBytesPerRow;
  Add(address, Bytes(kZeros).first(std::min(size_bytes, head)));
  const uint64_t tail = std::min(end - end_, end % kBytesPerRow);
  Add(end - tail, Bytes(kZeros).first(tail));
}

void HexRows::AddGap(uint64_t start, uint64_t end, const std::string& why) {
  FlushPartial();
  last_.clear();
  starred_ = false;
  fmt::print(out_, "# {:0{}x}-{:0{}x} is not in the dump: {}\n", start, kAddressDigits, end,
             kAddressDigits, why);
  end_ = end;
}

void HexRows::Finish() {
  FlushPartial();
  fmt::print(out_, "{:0{}x}\n", end_, kAddressDigits);
}

void HexRows::AddRow(uint64_t address, Bytes row) {
  const std::string_view text = AsText(row);
  if (text == last_) {
    if (!starred_) out_ << "*\n";
    starred_ = true;
    return;
  }
  starred_ = false;
  out_ << HexRow(address, row);
  last_ = text.size() == kBytesPerRow ? text : "";
}

void HexRows::FlushPartial() {
  if (!partial_.empty()) AddRow(partial_start_, AsBytes(partial_));
  partial_.clear();
}

}  // namespace ckpt
