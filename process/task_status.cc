#include "process/task_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "process/proc_file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

// Each Read takes what follows "Key:" and is false when that is not what the key has.
template <typename Number>
bool Narrow(std::optional<uint64_t> read, Number& number) {
  if (!read || !std::in_range<Number>(*read)) return false;
  number = static_cast<Number>(*read);
  return true;
}

template <typename Number>
bool ReadNumber(TextScanner scanner, Number& number) {
  scanner.SkipBlanks();
  return Narrow(scanner.ReadDecimal(), number) && scanner.AtEnd();
}

bool ReadSet(TextScanner scanner, uint64_t& bits) {
  scanner.SkipBlanks();
  return Narrow(scanner.ReadHex(), bits) && scanner.AtEnd();
}

bool ReadMode(TextScanner scanner, uint32_t& mode) {
  scanner.SkipBlanks();
  return Narrow(scanner.ReadOctal(), mode) && scanner.AtEnd();
}

bool ReadFlag(TextScanner scanner, bool& flag) {
  uint32_t number = 0;
  if (!ReadNumber(scanner, number)) return false;
  flag = number != 0;
  return true;
}

template <typename Number>
bool ReadList(TextScanner scanner, std::vector<Number>& list) {
  while (true) {
    scanner.SkipBlanks();
    if (scanner.AtEnd()) return true;
    if (!Narrow(scanner.ReadDecimal(), list.emplace_back())) return false;
  }
}

bool ReadIds(TextScanner scanner, IdSet& ids) {
  std::vector<uint32_t> list;
  if (!ReadList(scanner, list) || list.size() != 4) return false;
  ids = {list[0], list[1], list[2], list[3]};
  return true;
}

bool ReadState(TextScanner scanner, char& state) {
  const std::string_view word = scanner.ReadWord();
  if (word.size() != 1) return false;
  state = word[0];
  return true;
}

// A newline and a backslash are escaped, each by a backslash.
bool ReadName(std::string_view escaped, std::string& name) {
  if (escaped.starts_with('\t')) escaped.remove_prefix(1);
  name.clear();
  for (size_t i = 0; i < escaped.size(); ++i) {
    const bool is_escape = escaped[i] == '\\' && i + 1 < escaped.size();
    if (is_escape) ++i;
    name.push_back(is_escape && escaped[i] == 'n' ? '\n' : escaped[i]);
  }
  return true;
}

struct Row {
  std::string_view key;
  bool required;
  bool (*read)(TextScanner scanner, TaskStatus& status);
};

// Source: fs/proc/array.c, Linux 5.10 to 6.18.
constexpr std::array kRows = {
    Row{"Name", false, [](TextScanner s, TaskStatus& to) { return ReadName(s.rest(), to.name); }},
    Row{"Umask", false, [](TextScanner s, TaskStatus& to) { return ReadMode(s, to.umask); }},
    Row{"State", true, [](TextScanner s, TaskStatus& to) { return ReadState(s, to.state); }},
    Row{"Tgid", true, [](TextScanner s, TaskStatus& to) { return ReadNumber(s, to.tgid); }},
    Row{"Pid", true, [](TextScanner s, TaskStatus& to) { return ReadNumber(s, to.pid); }},
    Row{"PPid", true, [](TextScanner s, TaskStatus& to) { return ReadNumber(s, to.ppid); }},
    Row{"TracerPid", false,
        [](TextScanner s, TaskStatus& to) { return ReadNumber(s, to.tracer_pid); }},
    Row{"Uid", true, [](TextScanner s, TaskStatus& to) { return ReadIds(s, to.uid); }},
    Row{"Gid", true, [](TextScanner s, TaskStatus& to) { return ReadIds(s, to.gid); }},
    Row{"Groups", false, [](TextScanner s, TaskStatus& to) { return ReadList(s, to.groups); }},
    Row{"NStgid", false, [](TextScanner s, TaskStatus& to) { return ReadList(s, to.ns_tgid); }},
    Row{"NSpid", false, [](TextScanner s, TaskStatus& to) { return ReadList(s, to.ns_pid); }},
    Row{"NSpgid", false, [](TextScanner s, TaskStatus& to) { return ReadList(s, to.ns_pgid); }},
    Row{"NSsid", false, [](TextScanner s, TaskStatus& to) { return ReadList(s, to.ns_sid); }},
    Row{"Threads", false, [](TextScanner s, TaskStatus& to) { return ReadNumber(s, to.threads); }},
    Row{"SigPnd", false,
        [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.signal_pending); }},
    Row{"ShdPnd", false,
        [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.shared_pending); }},
    Row{"SigBlk", false,
        [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.signal_blocked); }},
    Row{"SigIgn", false,
        [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.signal_ignored); }},
    Row{"SigCgt", false,
        [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.signal_caught); }},
    Row{"CapInh", false,
        [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.cap_inheritable); }},
    Row{"CapPrm", false,
        [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.cap_permitted); }},
    Row{"CapEff", false,
        [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.cap_effective); }},
    Row{"CapBnd", false, [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.cap_bounding); }},
    Row{"CapAmb", false, [](TextScanner s, TaskStatus& to) { return ReadSet(s, to.cap_ambient); }},
    Row{"NoNewPrivs", false,
        [](TextScanner s, TaskStatus& to) { return ReadFlag(s, to.no_new_privs); }},
    Row{"Seccomp", false,
        [](TextScanner s, TaskStatus& to) { return ReadNumber(s, to.seccomp_mode); }},
    Row{"Seccomp_filters", false,
        [](TextScanner s, TaskStatus& to) { return ReadNumber(s, to.seccomp_filters); }},
};

using SeenRows = std::array<bool, kRows.size()>;

bool ReadLine(std::string_view line, TaskStatus& status, SeenRows& seen) {
  TextScanner scanner(line);
  const std::string_view key = scanner.ReadUntil(':');
  const auto* row = std::ranges::find(kRows, key, &Row::key);
  if (row == kRows.end()) return true;
  seen[static_cast<size_t>(row - kRows.begin())] = true;
  return row->read(scanner, status);
}

}  // namespace

Result<TaskStatus> ParseTaskStatus(std::string_view text) {
  TaskStatus status;
  SeenRows seen{};
  TextScanner scanner(text);
  for (int number = 1; !scanner.AtEnd(); ++number) {
    const std::string_view line = scanner.ReadLine();
    if (ReadLine(line, status, seen)) continue;
    return MakeError(ErrorCode::kBadFormat, "line {}: cannot read \"{}\"", number, line);
  }
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (seen[i] || !kRows[i].required) continue;
    return MakeError(ErrorCode::kBadFormat, "no line \"{}:\"", kRows[i].key);
  }
  return status;
}

Result<TaskStatus> ReadTaskStatus(pid_t pid) {
  return ReadProcFile(fmt::format("/proc/{}/status", pid), ParseTaskStatus);
}

Result<TaskStatus> ReadTaskStatus(pid_t pid, pid_t tid) {
  return ReadProcFile(fmt::format("/proc/{}/task/{}/status", pid, tid), ParseTaskStatus);
}

}  // namespace ckpt
