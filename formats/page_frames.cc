#include "formats/page_frames.h"

#include <utility>

#include "formats/zstd_stream.h"

namespace ckpt {

namespace {

constexpr uint32_t kTableMagic = 0x184d2a5e;
constexpr uint32_t kFooterMagic = 0x8f92eab1;
constexpr size_t kTableHeadBytes = 8;
constexpr uint64_t kEntryBytes = 8;
constexpr uint64_t kChecksumBytes = 4;
constexpr uint32_t kMaxFrames = uint32_t{1} << 27;
constexpr uint8_t kChecksumFlag = 0x80;
// Bits that the format keeps for later; the two that are left have no meaning.
constexpr uint8_t kReservedFlags = 0x7c;

void PutU32(std::string& bytes, uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) {
    bytes += static_cast<char>(number >> shift & 0xff);
  }
}

template <typename... Args>
Error Bad(const std::string& name, uint64_t offset, fmt::format_string<Args...> text,
          Args&&... args) {
  return MakeError(ErrorCode::kBadFormat, "{}: at offset {}: {}", name, offset,
                   fmt::format(text, std::forward<Args>(args)...));
}

struct Footer {
  uint32_t frame_count;
  uint64_t entry_bytes;
};

Result<Footer> ParseFooter(Bytes bytes, uint64_t offset, const std::string& name) {
  ByteReader reader(bytes);
  const auto count = reader.ReadU32();
  const auto flags = reader.ReadBytes(1);
  const auto magic = reader.ReadU32();
  if (!count || !flags || !magic) {
    return Bad(name, offset, "{} bytes, the end of a seek table has {}", bytes.size(),
               kSeekTableFooterBytes);
  }
  if (*magic != kFooterMagic) {
    return Bad(name, offset + 5, "magic {:#010x} of a seek table, expected {:#010x}", *magic,
               kFooterMagic);
  }
  const auto descriptor = std::to_integer<uint8_t>((*flags)[0]);
  if ((descriptor & kReservedFlags) != 0) {
    return Bad(name, offset + 4, "flags {:#x} of the seek table, {:#x} are known", descriptor,
               kChecksumFlag);
  }
  if (*count > kMaxFrames) {
    return Bad(name, offset, "{} frames, at most {} are allowed", *count, kMaxFrames);
  }
  const bool has_checksums = (descriptor & kChecksumFlag) != 0;
  return Footer{*count, kEntryBytes + (has_checksums ? kChecksumBytes : 0)};
}

Result<> CheckFrame(const PageFrame& frame, uint64_t table_start, uint64_t offset, size_t index,
                    const std::string& name) {
  if (frame.size_bytes == 0 || frame.size_bytes > kMaxPageFrameBytes) {
    return Bad(name, offset, "frame {}: {} bytes of pages, 1 to {} are allowed", index,
               frame.size_bytes, kMaxPageFrameBytes);
  }
  if (frame.compressed_bytes == 0 || frame.compressed_bytes > MaxZstdFrameBytes(frame.size_bytes)) {
    return Bad(name, offset, "frame {}: {} bytes, 1 to {} are allowed", index,
               frame.compressed_bytes, MaxZstdFrameBytes(frame.size_bytes));
  }
  if (frame.compressed_bytes > table_start - frame.file_offset) {
    return Bad(name, offset, "frame {}: {} bytes at {} run into the seek table at {}", index,
               frame.compressed_bytes, frame.file_offset, table_start);
  }
  return success();
}

}  // namespace

std::string EncodeSeekTable(std::span<const PageFrame> frames) {
  CKPT_CHECK(frames.size() <= kMaxFrames);
  std::string table;
  PutU32(table, kTableMagic);
  PutU32(table, static_cast<uint32_t>(frames.size() * kEntryBytes + kSeekTableFooterBytes));
  for (const PageFrame& frame : frames) {
    PutU32(table, frame.compressed_bytes);
    PutU32(table, frame.size_bytes);
  }
  PutU32(table, static_cast<uint32_t>(frames.size()));
  table += '\0';
  PutU32(table, kFooterMagic);
  return table;
}

Result<uint64_t> SeekTableBytes(Bytes footer, uint64_t file_bytes, const std::string& name) {
  if (file_bytes < kTableHeadBytes + kSeekTableFooterBytes) {
    return Bad(name, 0, "{} bytes, a compressed pages image has at least {}", file_bytes,
               kTableHeadBytes + kSeekTableFooterBytes);
  }
  const uint64_t offset = file_bytes - kSeekTableFooterBytes;
  CKPT_TRY(const Footer parsed, ParseFooter(footer, offset, name));
  const uint64_t table_bytes =
      kTableHeadBytes + parsed.frame_count * parsed.entry_bytes + kSeekTableFooterBytes;
  if (table_bytes <= file_bytes) return table_bytes;
  return Bad(name, offset, "a seek table of {} frames has {} bytes, the file has {}",
             parsed.frame_count, table_bytes, file_bytes);
}

Result<std::vector<PageFrame>> ParseSeekTable(Bytes table, uint64_t file_bytes,
                                              const std::string& name) {
  CKPT_CHECK(table.size() >= kTableHeadBytes + kSeekTableFooterBytes && table.size() <= file_bytes);
  const uint64_t table_start = file_bytes - table.size();
  CKPT_TRY(const Footer footer, ParseFooter(table.last(kSeekTableFooterBytes),
                                            file_bytes - kSeekTableFooterBytes, name));
  ByteReader reader(table);
  const uint32_t magic = reader.ReadU32().value_or(0);
  const uint32_t content_bytes = reader.ReadU32().value_or(0);
  if (magic != kTableMagic || content_bytes != table.size() - kTableHeadBytes) {
    return Bad(name, table_start,
               "frame of magic {:#010x} and {} bytes, expected the seek table: {:#010x}, {}", magic,
               content_bytes, kTableMagic, table.size() - kTableHeadBytes);
  }
  std::vector<PageFrame> frames;
  frames.reserve(footer.frame_count);
  PageFrame frame;
  for (size_t i = 0; i < footer.frame_count; ++i) {
    const uint64_t offset = table_start + reader.offset();
    frame.compressed_bytes = reader.ReadU32().value_or(0);
    frame.size_bytes = reader.ReadU32().value_or(0);
    reader.ReadBytes(footer.entry_bytes - kEntryBytes);
    CKPT_TRY(CheckFrame(frame, table_start, offset, i, name));
    frames.push_back(frame);
    frame.file_offset += frame.compressed_bytes;
    frame.start += frame.size_bytes;
  }
  if (frame.file_offset == table_start) return frames;
  return Bad(name, frame.file_offset, "{} bytes between the last frame and the seek table",
             table_start - frame.file_offset);
}

}  // namespace ckpt
