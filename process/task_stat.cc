#include "process/task_stat.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "process/proc_file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

// Reads the fields after comm one by one and remembers the first that was missing or out of range.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : scanner_(text) {}

  int failed_field() const { return failed_field_; }

  void Read(char& letter) {
    const std::string_view word = scanner_.ReadWord();
    if (word.size() == 1) letter = word[0];
    Count(word.size() == 1);
  }

  template <typename Number>
  void Read(Number& number) {
    TextScanner word(scanner_.ReadWord());
    const auto read = ReadAs<Number>(word);
    const bool fits = read && word.AtEnd() && std::in_range<Number>(*read);
    if (fits) number = static_cast<Number>(*read);
    Count(fits);
  }

  void SkipFields(int count) {
    for (int i = 0; i < count; ++i) Count(!scanner_.ReadWord().empty());
  }

 private:
  template <typename Number>
  static auto ReadAs(TextScanner& word) {
    if constexpr (std::is_signed_v<Number>) {
      return word.ReadSigned();
    } else {
      return word.ReadDecimal();
    }
  }

  void Count(bool good) {
    if (!good && failed_field_ == 0) failed_field_ = field_;
    ++field_;
  }

  TextScanner scanner_;
  int field_ = 3;  // as proc(5) numbers them
  int failed_field_ = 0;
};

template <typename... Fields>
void ReadAll(FieldReader& reader, Fields&... fields) {
  (reader.Read(fields), ...);
}

void ReadFields(FieldReader& reader, TaskStat& stat) {
  constexpr int kObsoleteSignalMasks = 4;
  constexpr int kUnusedSwapCounts = 2;
  constexpr int kItrealvalue = 1;
  ReadAll(reader, stat.state, stat.ppid, stat.pgrp, stat.session, stat.tty_nr, stat.tpgid,
          stat.flags, stat.minflt, stat.cminflt, stat.majflt, stat.cmajflt, stat.utime_ticks,
          stat.stime_ticks, stat.cutime_ticks, stat.cstime_ticks, stat.priority, stat.nice,
          stat.num_threads);
  reader.SkipFields(kItrealvalue);
  ReadAll(reader, stat.start_time_ticks, stat.vsize_bytes, stat.rss_pages, stat.rss_limit_bytes,
          stat.start_code, stat.end_code, stat.start_stack, stat.kstkesp, stat.kstkeip);
  reader.SkipFields(kObsoleteSignalMasks);
  ReadAll(reader, stat.wchan);
  reader.SkipFields(kUnusedSwapCounts);
  ReadAll(reader, stat.exit_signal, stat.processor, stat.rt_priority, stat.policy,
          stat.delayacct_blkio_ticks, stat.guest_time_ticks, stat.cguest_time_ticks,
          stat.start_data, stat.end_data, stat.start_brk, stat.arg_start, stat.arg_end,
          stat.env_start, stat.env_end, stat.exit_code);
}

}  // namespace

Result<TaskStat> ParseTaskStat(std::string_view text) {
  TaskStat stat;
  TextScanner scanner(text.substr(0, text.find_last_not_of('\n') + 1));
  const auto pid = scanner.ReadDecimal();
  if (!pid || !std::in_range<pid_t>(*pid) || !scanner.Skip(" (")) {
    return MakeError(ErrorCode::kBadFormat, "found \"{}\", expected \"pid (comm) ...\"", text);
  }
  // Nothing in comm is escaped: it ends at the last bracket, as no later field holds one.
  const size_t comm_end = scanner.rest().rfind(')');
  if (comm_end == std::string_view::npos) {
    return MakeError(ErrorCode::kBadFormat, "field 2 (comm) has no closing bracket");
  }
  stat.pid = static_cast<pid_t>(*pid);
  stat.comm = scanner.rest().substr(0, comm_end);
  FieldReader reader(scanner.rest().substr(comm_end + 1));
  ReadFields(reader, stat);
  if (reader.failed_field() != 0) {
    return MakeError(ErrorCode::kBadFormat, "field {} of 52 is missing or out of range",
                     reader.failed_field());
  }
  return stat;
}

Result<TaskStat> ReadTaskStat(pid_t pid) {
  return ReadProcFile(fmt::format("/proc/{}/stat", pid), ParseTaskStat);
}

Result<TaskStat> ReadTaskStat(pid_t pid, pid_t tid) {
  return ReadProcFile(fmt::format("/proc/{}/task/{}/stat", pid, tid), ParseTaskStat);
}

}  // namespace ckpt
