#include "process/smaps.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <memory>
#include <utility>

#include "base/file.h"
#include "process/maps.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

bool ReadNumberField(std::string_view text, uint64_t scale, uint64_t& value) {
  TextScanner scanner(text);
  scanner.SkipBlanks();
  const auto number = scanner.ReadDecimal();
  if (!number || *number > UINT64_MAX / scale) return false;
  value = *number * scale;
  return true;
}

bool ReadKey(std::string_view text, uint32_t& key) {
  uint64_t number = 0;
  if (!ReadNumberField(text, 1, number) || number > UINT32_MAX) return false;
  key = static_cast<uint32_t>(number);
  return true;
}

// False for a line that we want and that does not parse; lines of other fields are passed over.
bool ParseUsageLine(std::string_view line, MappingUsage& usage) {
  TextScanner scanner(line);
  switch (line.front()) {
    case 'A':
      return !scanner.Skip("Anonymous:") ||
             ReadNumberField(scanner.rest(), 1024, usage.anonymous_bytes);
    case 'P':
      return !scanner.Skip("ProtectionKey:") || ReadKey(scanner.rest(), usage.protection_key);
    case 'R':
      return !scanner.Skip("Rss:") || ReadNumberField(scanner.rest(), 1024, usage.rss_bytes);
    case 'S':
      return !scanner.Skip("Swap:") || ReadNumberField(scanner.rest(), 1024, usage.swap_bytes);
    case 'V':
      if (scanner.Skip("VmFlags:")) usage.flags = ParseVmFlags(scanner.rest());
      return true;
    default:
      return true;
  }
}

bool IsUsageLine(std::string_view line) {
  return !line.empty() && line.front() >= 'A' && line.front() <= 'Z';
}

// A piece of the file; its memory is not touched before it is filled.
struct Piece {
  std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  size_t size_bytes = 0;

  std::string_view text() const { return {bytes.get(), size_bytes}; }
};

// The next piece, shorter than others only at the end of the file.
Result<Piece> ReadPiece(int fd, const std::string& path) {
  Piece piece;
  while (piece.size_bytes < kPieceBytes) {
    const ssize_t got =
        read(fd, piece.bytes.get() + piece.size_bytes, kPieceBytes - piece.size_bytes);
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "read({})", path);
    if (got == 0) break;
    piece.size_bytes += static_cast<size_t>(got);
  }
  return piece;
}

Result<std::vector<Mapping>> ParsePieces(int fd, const std::string& path) {
  SmapsParser parser;
  CKPT_TRY(Piece piece, ReadPiece(fd, path));
  while (piece.size_bytes == kPieceBytes) {
    auto reading = std::async(std::launch::async, ReadPiece, fd, std::cref(path));
    Result<> parsed = parser.Feed(piece.text());
    Result<Piece> next = reading.get();
    CKPT_TRY(parsed);
    CKPT_TRY(piece, std::move(next));
  }
  CKPT_TRY(parser.Feed(piece.text()));
  return parser.Finish();
}

}  // namespace

Result<> SmapsParser::Feed(std::string_view piece) {
  for (size_t end = 0; (end = piece.find('\n')) != piece.npos; piece.remove_prefix(end + 1)) {
    const std::string_view line = piece.substr(0, end);
    if (begun_.empty()) {
      CKPT_TRY(ParseLine(line));
      continue;
    }
    begun_.append(line);
    CKPT_TRY(ParseLine(begun_));
    begun_.clear();
  }
  begun_.append(piece);
  return success();
}

Result<std::vector<Mapping>> SmapsParser::Finish() {
  if (!begun_.empty()) CKPT_TRY(ParseLine(begun_));
  begun_.clear();
  return std::move(mappings_);
}

Result<> SmapsParser::ParseLine(std::string_view line) {
  ++line_number_;
  if (IsUsageLine(line) && !mappings_.empty()) {
    if (ParseUsageLine(line, *mappings_.back().usage)) return success();
    return MakeError(ErrorCode::kBadFormat, "line {}: found \"{}\", expected a number",
                     line_number_, line);
  }
  Mapping& mapping = mappings_.emplace_back();
  mapping.usage.emplace();
  return ParseMappingLine(line_number_, line, mapping);
}

Result<std::vector<Mapping>> ParseSmaps(std::string_view text) {
  SmapsParser parser;
  CKPT_TRY(parser.Feed(text));
  return parser.Finish();
}

Result<std::vector<Mapping>> ReadSmaps(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/smaps", pid);
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY));
  auto mappings = ParsePieces(fd.get(), path);
  if (mappings.has_error()) return std::move(mappings).error().In(path);
  return mappings;
}

}  // namespace ckpt
