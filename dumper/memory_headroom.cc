#include "dumper/memory_headroom.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "dumper/cgroups.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

struct FileNames {
  std::vector<std::string_view> limits;
  std::string_view usage;
  std::string_view inactive_cache;  // a row of memory.stat
};

const FileNames& FileNamesOf(bool is_version_2) {
  static const FileNames version_1 = {
      {"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"};
  static const FileNames version_2 = {
      {"memory.max", "memory.high"}, "memory.current", "inactive_file"};
  return is_version_2 ? version_2 : version_1;
}

// The number after `name` and blanks, in the row that begins with it.
std::optional<uint64_t> FindNumber(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    TextScanner row(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), row.rest().size() + 1));
    if (!row.rest().starts_with(name)) continue;
    row = TextScanner(row.rest().substr(name.size()));
    row.SkipBlanks();
    if (const auto number = row.ReadDecimal()) return *number;
  }
  return std::nullopt;
}

std::optional<uint64_t> ReadNumber(const std::string& path, std::string_view name = "") {
  const Result<std::string> text = ReadWholeFile(path);
  return text.has_value() ? FindNumber(text.value(), name) : std::nullopt;
}

// "max" is no number.
uint64_t HeadroomOfGroup(const std::string& directory, const FileNames& names) {
  if (ReadNumber(directory + "/memory.oom.group") == 1) return 0;
  uint64_t limit = kUnlimited;
  for (const std::string_view name : names.limits) {
    limit = std::min(limit, ReadNumber(fmt::format("{}/{}", directory, name)).value_or(kUnlimited));
  }
  if (limit == kUnlimited) return kUnlimited;
  const uint64_t usage = ReadNumber(fmt::format("{}/{}", directory, names.usage)).value_or(limit);
  const uint64_t cache =
      ReadNumber(directory + "/memory.stat", fmt::format("{} ", names.inactive_cache)).value_or(0);
  const uint64_t in_use = usage - std::min(usage, cache);
  return limit - std::min(limit, in_use);
}

uint64_t CgroupsHeadroom(pid_t pid, const std::vector<Mount>& mounts) {
  const Result<std::string> text = ReadWholeFile(fmt::format("/proc/{}/cgroup", pid));
  if (text.has_error()) return 0;
  const Result<CgroupSet> set = ParseCgroupSet(text.value());
  if (set.has_error()) return 0;
  uint64_t headroom = kUnlimited;
  for (const CgroupMember& member : set.value()) {
    const bool is_version_2 = member.name.empty();
    if (!is_version_2 && !IsListed("memory", member.name)) continue;
    const auto hierarchy = FindHierarchy(member.name, mounts);
    if (!hierarchy) continue;
    headroom = std::min(headroom, CgroupHeadroom(*hierarchy, member.path, is_version_2));
  }
  return headroom;
}

}  // namespace

uint64_t MemoryHeadroom(pid_t pid, const std::vector<Mount>& mounts) {
  return std::min(MachineHeadroom("/proc"), CgroupsHeadroom(pid, mounts));
}

uint64_t MachineHeadroom(const std::string& proc) {
  if (ReadNumber(proc + "/sys/vm/overcommit_memory") == 2) return 0;
  return ReadNumber(proc + "/meminfo", "MemAvailable:").value_or(0) * 1024;
}

uint64_t CgroupHeadroom(const std::string& hierarchy, const std::string& path, bool is_version_2) {
  uint64_t headroom = kUnlimited;
  std::string group = path == "/" ? "" : path;
  while (true) {
    headroom = std::min(headroom, HeadroomOfGroup(hierarchy + group, FileNamesOf(is_version_2)));
    if (group.empty()) return headroom;
    group.resize(group.rfind('/'));
  }
}

}  // namespace ckpt
