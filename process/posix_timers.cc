#include "process/posix_timers.h"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <string>
#include <utility>

#include "process/proc_file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

template <typename Number>
bool ReadNumber(TextScanner& scanner, Number& number) {
  const auto read = scanner.ReadSigned();
  if (!read || !std::in_range<Number>(*read)) return false;
  number = static_cast<Number>(*read);
  return true;
}

bool ReadId(TextScanner& scanner, PosixTimer& timer) {
  return scanner.Skip("ID: ") && ReadNumber(scanner, timer.id) && scanner.AtEnd();
}

// "signal: 14/00000000deadbeef": the value is printed by %px.
bool ReadSignal(TextScanner& scanner, PosixTimer& timer) {
  if (!scanner.Skip("signal: ") || !ReadNumber(scanner, timer.signal)) return false;
  if (!scanner.Skip('/')) return false;
  scanner.Skip("0x");
  const auto value = scanner.ReadHex();
  timer.signal_value = value.value_or(0);
  return value && scanner.AtEnd();
}

bool ReadNotifyKind(std::string_view kind, int32_t& notify) {
  // Source: proc_timers in fs/proc/base.c; its array is indexed by SIGEV_*.
  constexpr std::array<std::pair<std::string_view, int>, 3> kKinds = {
      {{"signal", SIGEV_SIGNAL}, {"none", SIGEV_NONE}, {"thread", SIGEV_THREAD}}};
  for (const auto& [name, value] : kKinds) {
    if (kind != name) continue;
    notify = value;
    return true;
  }
  return false;
}

// "notify: signal/tid.1234"
bool ReadNotify(TextScanner& scanner, PosixTimer& timer) {
  if (!scanner.Skip("notify: ")) return false;
  if (!ReadNotifyKind(scanner.ReadUntil('/'), timer.notify)) return false;
  if (scanner.Skip("tid.")) {
    timer.notify |= SIGEV_THREAD_ID;
  } else if (!scanner.Skip("pid.")) {
    return false;
  }
  return ReadNumber(scanner, timer.notify_id) && scanner.AtEnd();
}

bool ReadClock(TextScanner& scanner, PosixTimer& timer) {
  return scanner.Skip("ClockID: ") && ReadNumber(scanner, timer.clock_id) && scanner.AtEnd();
}

struct Step {
  std::string_view shape;
  bool (*read)(TextScanner& scanner, PosixTimer& timer);
};

// The lines of each timer, in this order.
constexpr std::array kSteps = {
    Step{"ID: N", ReadId},
    Step{"signal: N/VALUE", ReadSignal},
    Step{"notify: KIND/pid.N", ReadNotify},
    Step{"ClockID: N", ReadClock},
};

}  // namespace

Result<std::vector<PosixTimer>> ParsePosixTimers(std::string_view text) {
  std::vector<PosixTimer> timers;
  TextScanner scanner(text);
  for (size_t number = 1; !scanner.AtEnd() || (number - 1) % kSteps.size() != 0; ++number) {
    const Step& step = kSteps[(number - 1) % kSteps.size()];
    if (&step == kSteps.data()) timers.emplace_back();
    const std::string_view line = scanner.ReadLine();
    TextScanner line_scanner(line);
    if (step.read(line_scanner, timers.back())) continue;
    return MakeError(ErrorCode::kBadFormat, "line {}: found \"{}\", expected \"{}\"", number, line,
                     step.shape);
  }
  return timers;
}

Result<std::vector<PosixTimer>> ReadPosixTimers(pid_t pid) {
  return ReadProcFile(fmt::format("/proc/{}/timers", pid), ParsePosixTimers);
}

}  // namespace ckpt
