#include "tests/harness/snapshot.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "tests/harness/process_tree.h"

namespace ckpt {
namespace {

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct Mapping {
  std::string_view begin, end;
  std::string rest;  // permissions and name
};

// CRIU brings shared anonymous memory back as memory files.
std::string_view NameOf(std::string_view name) {
  constexpr std::string_view kSharedAnonymous = "/dev/zero (deleted)";
  const bool is_restored = name == "/memfd: (deleted)" || name == "/memfd:/dev/zero (deleted)";
  return is_restored ? kSharedAnonymous : name;
}

// As the link in map_files says of a mapped file.
bool IsOpenForWriting(const std::string& proc, std::string_view begin, std::string_view end) {
  const auto without_zeros = [](std::string_view number) {
    return number.substr(std::min(number.find_first_not_of('0'), number.size()));
  };
  const std::string path =
      fmt::format("{}/map_files/{}-{}", proc, without_zeros(begin), without_zeros(end));
  struct stat link {};
  return lstat(path.c_str(), &link) == 0 && (link.st_mode & S_IWUSR) != 0;
}

Mapping ParseMapping(const std::string& proc, std::string_view line) {
  const size_t dash = line.find('-');
  const size_t space = line.find(' ');
  const size_t name = line.find_first_of("/[", space);
  const std::string_view begin = line.substr(0, dash);
  const std::string_view end = line.substr(dash + 1, space - dash - 1);
  return {begin, end,
          fmt::format("{}{} {}", line.substr(space + 1, 4),
                      IsOpenForWriting(proc, begin, end) ? " (file open for writing)" : "",
                      name == std::string_view::npos ? "" : NameOf(line.substr(name)))};
}

Result<std::string> Mappings(const std::string& proc) {
  CKPT_TRY(const std::string text, ReadWholeFile(proc + "/maps"));
  std::vector<Mapping> mappings;
  for (std::string_view line : Lines(text)) {
    Mapping next = ParseMapping(proc, line);
    if (!mappings.empty() && mappings.back().end == next.begin &&
        mappings.back().rest == next.rest) {
      mappings.back().end = next.end;
    } else {
      mappings.push_back(std::move(next));
    }
  }
  std::string out;
  for (const Mapping& mapping : mappings) {
    out += fmt::format("mapping {}-{} {}\n", mapping.begin, mapping.end, mapping.rest);
  }
  return out;
}

// The target without the inode number of a pipe or socket.
std::string_view WithoutNumber(std::string_view target) {
  return target.starts_with("/") ? target : target.substr(0, target.find('['));
}

// Of a line `flags:\tOCTAL`. Without O_DIRECTORY, which CRIU does not bring back.
unsigned Flags(std::string_view line) {
  unsigned flags = 0;
  line.remove_prefix(line.find_first_of("01234567"));
  std::from_chars(line.data(), line.data() + line.size(), flags, 8);
  return flags & ~static_cast<unsigned>(O_DIRECTORY);
}

Result<std::string> Descriptors(const std::string& proc) {
  CKPT_TRY(const std::vector<std::string> names, ListDirectory(proc + "/fd"));
  std::string out;
  for (const std::string& name : names) {
    CKPT_TRY(const std::string target, ReadLink(fmt::format("{}/fd/{}", proc, name)));
    CKPT_TRY(const std::string info, ReadWholeFile(fmt::format("{}/fdinfo/{}", proc, name)));
    for (std::string_view line : Lines(info)) {
      if (!line.starts_with("flags:")) continue;
      out += fmt::format("descriptor {} {} flags {:o}\n", name, WithoutNumber(target), Flags(line));
    }
  }
  return out;
}

Result<std::string> Links(const std::string& proc) {
  std::string out;
  for (const char* name : {"cwd", "root", "exe"}) {
    CKPT_TRY(const std::string target, ReadLink(fmt::format("{}/{}", proc, name)));
    out += fmt::format("{} {}\n", name, target);
  }
  return out;
}

// The numbers in a text of numbers and spaces.
std::vector<pid_t> Pids(std::string_view text) {
  std::vector<pid_t> pids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    pid_t pid = 0;
    const auto parsed = std::from_chars(at, end, pid);
    if (parsed.ec == std::errc()) pids.push_back(pid);
    at = parsed.ec == std::errc() ? parsed.ptr : at + 1;
  }
  return pids;
}

// The number of the process in its innermost pid namespace.
Result<pid_t> InnermostPid(pid_t pid) {
  CKPT_TRY(const std::string status, ReadWholeFile(fmt::format("/proc/{}/status", pid)));
  for (std::string_view line : Lines(status)) {
    if (line.starts_with("NSpid:")) return Pids(line).back();
  }
  return MakeError(ErrorCode::kBadFormat, "/proc/{}/status has no NSpid", pid);
}

// Not SigBlk: while a thread waits for a signal, that is not blocked.
constexpr std::array kStatusFields = {
    "Name:",    "Umask:",  "Pid:",    "Uid:",    "Gid:",        "Groups:",
    "Threads:", "SigPnd:", "ShdPnd:", "SigIgn:", "SigCgt:",     "CapInh:",
    "CapPrm:",  "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"};

Result<std::string> Threads(const std::string& proc) {
  CKPT_TRY(const std::vector<std::string> tids, ListDirectory(proc + "/task"));
  std::string out;
  for (const std::string& tid : tids) {
    CKPT_TRY(const std::string status, ReadWholeFile(fmt::format("{}/task/{}/status", proc, tid)));
    for (std::string_view line : Lines(status)) {
      for (const char* field : kStatusFields) {
        if (line.starts_with(field)) out += fmt::format("thread {} {}\n", tid, line);
      }
    }
  }
  return out;
}

}  // namespace

Result<std::string> SnapshotOf(pid_t pid, const std::string& procfs) {
  const std::string proc = fmt::format("{}/{}", procfs, pid);
  std::string out;
  for (const auto part : {Mappings, Descriptors, Links, Threads}) {
    CKPT_TRY(const std::string text, part(proc));
    out += text;
  }
  for (const char* file : {"/limits", "/timers"}) {
    CKPT_TRY(const std::string text, ReadWholeFile(proc + file));
    out += text;
  }
  return out;
}

namespace {

// Its place in the tree, and whether it is stopped or has ended, and how. Fields of proc(5), from
// the third on.
Result<std::string> Place(pid_t pid, pid_t root, const std::string& procfs) {
  CKPT_TRY(const std::string stat, ReadWholeFile(fmt::format("{}/{}/stat", procfs, pid)));
  std::istringstream text(stat.substr(stat.rfind(')') + 2));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(text), {}};
  constexpr size_t kState = 0;
  constexpr size_t kParent = 1;
  constexpr size_t kGroup = 2;
  constexpr size_t kSession = 3;
  constexpr size_t kExitCode = 49;
  const std::string& state = fields.at(kState);
  // The root's parent is whoever started or restored it.
  return fmt::format("process {}\nparent {} group {} session {} {}\n", pid,
                     pid == root ? "" : fields.at(kParent), fields.at(kGroup), fields.at(kSession),
                     state == "Z"   ? "ended with " + fields.at(kExitCode)
                     : state == "T" ? "stopped"
                                    : "alive");
}

}  // namespace

Result<std::string> TreeSnapshotOf(pid_t pid) {
  CKPT_TRY(pid_t number, InnermostPid(pid));
  std::string procfs = fmt::format("/proc/{}/root/proc", pid);
  if (ReadWholeFile(fmt::format("{}/{}/stat", procfs, number)).has_error()) {
    procfs = "/proc";
    number = pid;
  }
  CKPT_TRY(std::vector<pid_t> tree, ProcessTree(number, procfs));
  std::ranges::sort(tree);
  std::string out;
  for (const pid_t process : tree) {
    CKPT_TRY(const std::string place, Place(process, number, procfs));
    out += place;
    if (place.find("ended") != std::string::npos) continue;
    CKPT_TRY(const std::string one, SnapshotOf(process, procfs));
    out += one;
  }
  return out;
}

Result<std::string> SnapshotOnceStopped(const std::string& before,
                                        const std::function<Result<std::string>()>& look) {
  constexpr int kLooks = 50;
  const bool has_stopped = before.find(" stopped\n") != std::string::npos;
  Result<std::string> snapshot = look();
  for (int i = 0; i < kLooks && has_stopped; ++i) {
    if (snapshot.has_error() || snapshot.value() == before) break;
    sched_yield();
    snapshot = look();
  }
  return snapshot;
}

std::string Replaced(std::string snapshot, const std::string& old_words,
                     const std::string& new_words) {
  for (size_t at = 0; (at = snapshot.find(old_words, at)) != std::string::npos;
       at += new_words.size()) {
    snapshot.replace(at, old_words.size(), new_words);
  }
  return snapshot;
}

}  // namespace ckpt
