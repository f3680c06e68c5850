// A compressed pages image, pages-N.img.zst: the bytes of pages-N.img cut into pieces, each a zstd
// frame of its own, and behind them a table of the frames. The table is the seek table of zstd's
// seekable format, in a frame that decompressors pass over, so that `zstd -dc` gives the pages.
// Source: contrib/seekable_format/zstd_seekable_compression_format.md of zstd.
#ifndef FORMATS_PAGE_FRAMES_H_
#define FORMATS_PAGE_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

// What is written. A frame is what must be decompressed to get at one page, and what one processor
// compresses at a time.
inline constexpr size_t kPageFrameBytes = size_t{1} << 20;
// What is read: a reader keeps some frames in memory.
inline constexpr size_t kMaxPageFrameBytes = size_t{2} << 20;

struct PageFrame {
  uint64_t file_offset = 0;  // in the compressed image
  uint64_t start = 0;        // of its bytes in the pages image
  uint32_t compressed_bytes = 0;
  uint32_t size_bytes = 0;

  uint64_t end() const { return start + size_bytes; }
  friend bool operator==(const PageFrame&, const PageFrame&) = default;
};

// The table of frames that lie one after the other from offset 0. As many as fit into the table's
// size of 32 bits, which is over 400 TB of pages.
std::string EncodeSeekTable(std::span<const PageFrame> frames);

// The last bytes of a compressed pages image.
inline constexpr size_t kSeekTableFooterBytes = 9;

// How long the table at the end of a file of `file_bytes` is, by its footer. `name` is for errors.
// kBadFormat: no table, or one longer than the file.
Result<uint64_t> SeekTableBytes(Bytes footer, uint64_t file_bytes, const std::string& name);

// The frames of a file by its whole table. kBadFormat: frames that do not fill the file up to the
// table, are empty, or are longer than kMaxPageFrameBytes or than zstd could make them.
Result<std::vector<PageFrame>> ParseSeekTable(Bytes table, uint64_t file_bytes,
                                              const std::string& name);

}  // namespace ckpt

#endif  // FORMATS_PAGE_FRAMES_H_
