#include "process/limits.h"

#include <fmt/format.h>

#include <bitset>
#include <string>

#include "process/proc_file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

// Source: lnames in fs/proc/base.c, by RLIMIT_*.
constexpr std::array<std::string_view, kLimitCount> kNames = {
    "Max cpu time",       "Max file size",     "Max data size",         "Max stack size",
    "Max core file size", "Max resident set",  "Max processes",         "Max open files",
    "Max locked memory",  "Max address space", "Max file locks",        "Max pending signals",
    "Max msgqueue size",  "Max nice priority", "Max realtime priority", "Max realtime timeout",
};
static_assert(kNames[RLIMIT_NOFILE] == "Max open files");
static_assert(kNames[RLIMIT_MEMLOCK] == "Max locked memory");
static_assert(kNames[RLIMIT_RTTIME] == "Max realtime timeout");

bool ReadLimit(TextScanner& scanner, rlim_t& limit) {
  scanner.SkipBlanks();
  if (scanner.Skip("unlimited")) {
    limit = RLIM_INFINITY;
    return true;
  }
  const auto number = scanner.ReadDecimal();
  limit = number.value_or(0);
  return number.has_value();
}

// kLimitCount when the line is of none that we know.
size_t ResourceOf(std::string_view line) {
  size_t resource = 0;
  while (resource < kLimitCount && !line.starts_with(kNames[resource])) ++resource;
  return resource;
}

bool ReadPair(std::string_view line, size_t resource, rlimit& limit) {
  TextScanner scanner(line.substr(kNames[resource].size()));
  return ReadLimit(scanner, limit.rlim_cur) && ReadLimit(scanner, limit.rlim_max);
}

}  // namespace

std::string_view LimitName(size_t resource) { return kNames[resource]; }

Result<Limits> ParseLimits(std::string_view text) {
  Limits limits{};
  std::bitset<kLimitCount> seen;
  TextScanner scanner(text);
  scanner.ReadLine();  // the names of the columns
  for (int number = 2; !scanner.AtEnd(); ++number) {
    const std::string_view line = scanner.ReadLine();
    const size_t resource = ResourceOf(line);
    if (resource == kLimitCount) continue;
    if (seen[resource] || !ReadPair(line, resource, limits[resource])) {
      return MakeError(ErrorCode::kBadFormat, "line {}: cannot read \"{}\"", number, line);
    }
    seen.set(resource);
  }
  for (size_t i = 0; i < kLimitCount; ++i) {
    if (!seen[i]) return MakeError(ErrorCode::kBadFormat, "no line \"{}\"", kNames[i]);
  }
  return limits;
}

Result<Limits> ReadLimits(pid_t pid) {
  return ReadProcFile(fmt::format("/proc/{}/limits", pid), ParseLimits);
}

}  // namespace ckpt
