// Bytes of a memory as text: rows as `hexdump -C` prints them, by their addresses.
#ifndef IMGTOOL_MEMORY_HEX_ROWS_H_
#define IMGTOOL_MEMORY_HEX_ROWS_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "base/byte_reader.h"

namespace ckpt {

inline constexpr size_t kBytesPerRow = 16;

// A row of at most kBytesPerRow bytes, with its line end:
// "7ffc1a2b3c40  2f 75 73 72 2f 62 69 6e  2f 6c 65 73 73 00 00 00  |/usr/bin/less...|".
std::string HexRow(uint64_t address, Bytes bytes);

// Rows begin at multiples of kBytesPerRow. Of rows that repeat the one before them one "*" is
// printed. Memory that is not there is a line of its own.
class HexRows {
 public:
  explicit HexRows(std::ostream& out) : out_(out) {}

  // Bytes from `address` on; calls come with ascending addresses.
  void Add(uint64_t address, Bytes bytes);
  void AddZeros(uint64_t address, uint64_t size_bytes);

  // "# 7f1200000000-7f1200003000 is not in the dump: ..."
  void AddGap(uint64_t start, uint64_t end, const std::string& why);

  // The last row, and the address behind the last byte.
  void Finish();

 private:
  void AddRow(uint64_t address, Bytes row);
  void FlushPartial();

  std::ostream& out_;
  std::string partial_;  // a row that has begun
  uint64_t partial_start_ = 0;
  uint64_t end_ = 0;
  std::string last_;  // the row printed last; empty after a gap
  bool starred_ = false;
};

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_HEX_ROWS_H_
