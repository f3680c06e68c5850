#include "process/event_fdinfo.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "process/text_scanner.h"

namespace ckpt {

namespace {

// The text after `name` and blanks, of the line that begins so.
std::optional<std::string_view> FindField(const std::vector<std::string>& details,
                                          std::string_view name) {
  for (const std::string& line : details) {
    TextScanner scanner(line);
    if (!scanner.Skip(name)) continue;
    scanner.SkipBlanks();
    return scanner.rest();
  }
  return std::nullopt;
}

using ReadNumber = std::optional<uint64_t> (TextScanner::*)();

// The one number of the line that begins with `name`.
template <typename T>
Result<> ReadField(const std::vector<std::string>& details, std::string_view name, ReadNumber read,
                   T& value) {
  const auto text = FindField(details, name);
  if (!text) return MakeError(ErrorCode::kBadFormat, "no line \"{}\"", name);
  TextScanner scanner(*text);
  const auto number = (scanner.*read)();
  if (!number || !scanner.AtEnd() || !std::in_range<T>(*number)) {
    return MakeError(ErrorCode::kBadFormat, "cannot read \"{} {}\"", name, *text);
  }
  value = static_cast<T>(*number);
  return success();
}

// A line "NAME (SECONDS, NANOSECONDS)".
Result<> ReadTime(const std::vector<std::string>& details, std::string_view name,
                  TimerfdTime& time) {
  const auto text = FindField(details, name);
  if (!text) return MakeError(ErrorCode::kBadFormat, "no line \"{}\"", name);
  TextScanner scanner(*text);
  scanner.Skip('(');
  const auto seconds = scanner.ReadDecimal();
  scanner.Skip(", ");
  const auto nanoseconds = scanner.ReadDecimal();
  if (!seconds || !nanoseconds || scanner.rest() != ")") {
    return MakeError(ErrorCode::kBadFormat, "cannot read \"{} {}\"", name, *text);
  }
  time = {*seconds, *nanoseconds};
  return success();
}

template <typename T>
bool Store(const std::optional<uint64_t>& number, T& value) {
  if (!number || !std::in_range<T>(*number)) return false;
  value = static_cast<T>(*number);
  return true;
}

// Past `name` and the blanks around it.
bool SkipName(TextScanner& scanner, std::string_view name) {
  scanner.SkipBlanks();
  if (!scanner.Skip(name)) return false;
  scanner.SkipBlanks();
  return true;
}

// "tfd: 5 events: 1d data: 5 pos:0 ino:61af sdev:7"
bool ReadWatch(std::string_view line, EpollWatch& watch) {
  TextScanner scanner(line);
  if (!SkipName(scanner, "tfd:") || !Store(scanner.ReadDecimal(), watch.fd)) return false;
  if (!SkipName(scanner, "events:") || !Store(scanner.ReadHex(), watch.events)) return false;
  if (!SkipName(scanner, "data:") || !Store(scanner.ReadHex(), watch.data)) return false;
  scanner.SkipBlanks();
  if (scanner.AtEnd()) return true;
  if (!SkipName(scanner, "pos:") || !Store(scanner.ReadDecimal(), watch.position_bytes)) {
    return false;
  }
  if (!SkipName(scanner, "ino:") || !Store(scanner.ReadHex(), watch.inode)) return false;
  return SkipName(scanner, "sdev:") && Store(scanner.ReadHex(), watch.device) && scanner.AtEnd();
}

}  // namespace

Result<EventfdState> ParseEventfd(const std::vector<std::string>& details) {
  EventfdState state;
  CKPT_TRY(ReadField(details, "eventfd-count:", &TextScanner::ReadHex, state.count));
  state.is_semaphore = FindField(details, "eventfd-semaphore:").value_or("0") != "0";
  return state;
}

Result<uint64_t> ParseSignalfdMask(const std::vector<std::string>& details) {
  uint64_t mask = 0;
  CKPT_TRY(ReadField(details, "sigmask:", &TextScanner::ReadHex, mask));
  return mask;
}

Result<TimerfdState> ParseTimerfd(const std::vector<std::string>& details) {
  TimerfdState state;
  CKPT_TRY(ReadField(details, "clockid:", &TextScanner::ReadDecimal, state.clock_id));
  CKPT_TRY(ReadField(details, "ticks:", &TextScanner::ReadDecimal, state.ticks));
  CKPT_TRY(ReadField(details, "settime flags:", &TextScanner::ReadOctal, state.settime_flags));
  CKPT_TRY(ReadTime(details, "it_value:", state.value));
  CKPT_TRY(ReadTime(details, "it_interval:", state.interval));
  return state;
}

Result<std::vector<EpollWatch>> ParseEpollWatches(const std::vector<std::string>& details) {
  std::vector<EpollWatch> watches;
  for (const std::string& line : details) {
    if (!line.starts_with("tfd:")) continue;
    if (!ReadWatch(line, watches.emplace_back())) {
      return MakeError(ErrorCode::kBadFormat, "cannot read \"{}\"", line);
    }
  }
  std::ranges::stable_sort(watches, {}, &EpollWatch::fd);
  return watches;
}

}  // namespace ckpt
