#include "process/smaps.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

#include "base/file.h"
#include "process/maps.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr int kMostUrgent = -20;  // setpriority(2)
constexpr std::string_view kFlagsKey = "VmFlags:";

bool ReadNumberField(std::string_view text, uint64_t scale, uint64_t& value) {
  TextScanner scanner(text);
  scanner.SkipBlanks();
  const auto number = scanner.ReadDecimal();
  if (!number || *number > UINT64_MAX / scale) return false;
  value = *number * scale;
  return true;
}

template <uint64_t MappingUsage::*Member>
bool ReadKilobytes(std::string_view text, MappingUsage& usage) {
  return ReadNumberField(text, 1024, usage.*Member);
}

bool ReadKey(std::string_view text, MappingUsage& usage) {
  uint64_t number = 0;
  if (!ReadNumberField(text, 1, number) || number > UINT32_MAX) return false;
  usage.protection_key = static_cast<uint32_t>(number);
  return true;
}

// A line that we want. VmFlags, the last one of a mapping, are not among them.
struct UsageField {
  std::string_view key;
  bool (*read)(std::string_view text, MappingUsage& usage);  // false: it does not parse
};
constexpr std::array<UsageField, 4> kUsageFields = {{
    {"Rss:", ReadKilobytes<&MappingUsage::rss_bytes>},
    {"Anonymous:", ReadKilobytes<&MappingUsage::anonymous_bytes>},
    {"Swap:", ReadKilobytes<&MappingUsage::swap_bytes>},
    {"ProtectionKey:", ReadKey},
}};

const UsageField* FindUsageField(std::string_view line) {
  const auto* const found = std::ranges::find_if(
      kUsageFields, [&](const UsageField& field) { return line.starts_with(field.key); });
  return found == kUsageFields.end() ? nullptr : found;
}

// False for a line that we want and that does not parse; lines of other fields are passed over.
bool ParseUsageLine(std::string_view line, MappingUsage& usage) {
  if (line.starts_with(kFlagsKey)) {
    usage.flags = ParseVmFlags(line.substr(kFlagsKey.size()));
    return true;
  }
  const UsageField* const field = FindUsageField(line);
  return field == nullptr || field->read(line.substr(field->key.size()), usage);
}

bool IsUsageLine(std::string_view line) {
  return !line.empty() && line.front() >= 'A' && line.front() <= 'Z';
}

// A piece of the file; its memory is not touched before it is filled.
struct Piece {
  std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  size_t size_bytes = 0;

  std::string_view text() const { return {bytes.get(), size_bytes}; }
  bool IsLast() const { return size_bytes < kPieceBytes; }
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

// Pieces on their way from the thread that reads them to the one that parses them.
class PieceQueue {
 public:
  // Reads to the end of the file, or to an error.
  void ReadAll(int fd, const std::string& path) {
    // Making the text is the longest of all that is done under a freeze: it gets a processor.
    setpriority(PRIO_PROCESS, 0, kMostUrgent);
    bool is_last = false;
    while (!is_last) {
      Result<Piece> piece = ReadPiece(fd, path);
      is_last = piece.has_error() || piece.value().IsLast();
      const std::lock_guard lock(mutex_);
      pieces_.push_back(std::move(piece));
      changed_.notify_one();
    }
  }

  Result<Piece> Next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !pieces_.empty(); });
    Result<Piece> piece = std::move(pieces_.front());
    pieces_.pop_front();
    return piece;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Result<Piece>> pieces_;
};

Result<std::vector<Mapping>> ParseFile(int fd, const std::string& path) {
  SmapsParser parser;
  CKPT_TRY(Piece piece, ReadPiece(fd, path));
  PieceQueue queue;
  std::future<void> reading;  // ends before the queue does
  if (!piece.IsLast()) {
    reading = std::async(std::launch::async, [&] { queue.ReadAll(fd, path); });
  }
  while (true) {
    CKPT_TRY(parser.Feed(piece.text()));
    if (piece.IsLast()) return parser.Finish();
    CKPT_TRY(piece, queue.Next());
  }
}

}  // namespace

Result<> SmapsParser::Feed(std::string_view piece) {
  for (size_t end = 0; (end = piece.find('\n')) != piece.npos;) {
    const std::string_view line = piece.substr(0, end);
    piece.remove_prefix(end + 1);
    const size_t known = mappings_.size();
    if (begun_.empty()) {
      CKPT_TRY(ParseLine(line));
    } else {
      begun_.append(line);
      CKPT_TRY(ParseLine(begun_));
      begun_.clear();
    }
    if (is_learnt_ && mappings_.size() > known) SkipByLayout(piece);
  }
  begun_.append(piece);
  return success();
}

void SmapsParser::SkipByLayout(std::string_view& piece) {
  if (piece.size() < layout_.end + kFlagsKey.size() || piece[layout_.end - 1] != '\n') return;
  if (!piece.substr(layout_.end).starts_with(kFlagsKey)) return;
  MappingUsage usage;
  for (const Layout::Field& field : layout_.wanted) {
    const std::string_view line = piece.substr(field.offset, field.size);
    const UsageField* const wanted = FindUsageField(line);
    if (wanted == nullptr || piece[field.offset + field.size] != '\n') return;
    if (!wanted->read(line.substr(wanted->key.size()), usage)) return;
  }
  *mappings_.back().usage = usage;
  piece.remove_prefix(layout_.end);
  line_number_ += layout_.line_count;
}

void SmapsParser::Learn(std::string_view line, bool is_wanted) {
  if (is_wanted) layout_.wanted.push_back({.offset = layout_.end, .size = line.size()});
  layout_.end += line.size() + 1;
  ++layout_.line_count;
}

Result<std::vector<Mapping>> SmapsParser::Finish() {
  if (!begun_.empty()) CKPT_TRY(ParseLine(begun_));
  begun_.clear();
  return std::move(mappings_);
}

Result<> SmapsParser::ParseLine(std::string_view line) {
  ++line_number_;
  if (IsUsageLine(line) && !mappings_.empty()) {
    if (line.starts_with(kFlagsKey)) is_learnt_ = true;
    if (!is_learnt_) Learn(line, FindUsageField(line) != nullptr);
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
  auto mappings = ParseFile(fd.get(), path);
  if (mappings.has_error()) return std::move(mappings).error().In(path);
  return mappings;
}

}  // namespace ckpt
