#include "process/maps.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "process/escapes.h"
#include "process/proc_file.h"
#include "process/procmap_query.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

Error BadLine(size_t number, std::string_view line, std::string_view allowed) {
  return MakeError(ErrorCode::kBadFormat, "line {}: found \"{}\", expected {}", number, line,
                   allowed);
}

bool ReadRange(TextScanner& scanner, Mapping& mapping) {
  const auto start = scanner.ReadHex();
  if (!start || !scanner.Skip('-')) return false;
  const auto end = scanner.ReadHex();
  if (!end || !scanner.Skip(' ')) return false;
  mapping.start = *start;
  mapping.end = *end;
  return *start < *end;
}

bool ReadPermission(TextScanner& scanner, char letter, bool& allowed) {
  allowed = scanner.Skip(letter);
  return allowed || scanner.Skip('-');
}

bool ReadPermissions(TextScanner& scanner, Mapping& mapping) {
  if (!ReadPermission(scanner, 'r', mapping.readable)) return false;
  if (!ReadPermission(scanner, 'w', mapping.writable)) return false;
  if (!ReadPermission(scanner, 'x', mapping.executable)) return false;
  mapping.shared = scanner.Skip('s');
  return (mapping.shared || scanner.Skip('p')) && scanner.Skip(' ');
}

bool ReadFile(TextScanner& scanner, Mapping& mapping) {
  const auto offset = scanner.ReadHex();
  if (!offset || !scanner.Skip(' ')) return false;
  const auto major = scanner.ReadHex();
  if (!major || *major > UINT32_MAX || !scanner.Skip(':')) return false;
  const auto minor = scanner.ReadHex();
  if (!minor || *minor > UINT32_MAX || !scanner.Skip(' ')) return false;
  const auto inode = scanner.ReadDecimal();
  if (!inode) return false;
  mapping.file_offset = *offset;
  mapping.dev_major = static_cast<uint32_t>(*major);
  mapping.dev_minor = static_cast<uint32_t>(*minor);
  mapping.inode = *inode;
  return true;
}

// The path is set off by spaces; the kernel keeps those that are part of it, as it starts with
// none.
bool ParseMapping(std::string_view line, Mapping& mapping) {
  TextScanner scanner(line);
  if (!ReadRange(scanner, mapping) || !ReadPermissions(scanner, mapping) ||
      !ReadFile(scanner, mapping)) {
    return false;
  }
  if (!scanner.AtEnd() && !scanner.Skip(' ')) return false;
  scanner.SkipBlanks();
  mapping.path = UnescapeNewlines(scanner.rest());
  return true;
}

constexpr std::string_view kMappingShape = "\"start-end rwxs offset major:minor inode [path]\"";

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

bool IsUsageLine(std::string_view line) { return line.front() >= 'A' && line.front() <= 'Z'; }

// The gate page is in no list of VMAs, so no ioctl gives it; it is the same for every process.
Result<> AppendGateMapping(std::vector<Mapping>& mappings) {
  CKPT_TRY(std::vector<Mapping> own, ReadProcFile("/proc/self/maps", ParseMaps));
  if (!own.empty() && SpecialMappingOf(own.back()) == SpecialMapping::kVsyscall) {
    mappings.push_back(std::move(own.back()));
  }
  return success();
}

Result<std::vector<Mapping>> QueryMappings(const std::string& path) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY));
  std::vector<Mapping> mappings;
  uint64_t address = 0;
  while (true) {
    CKPT_TRY(std::optional<Mapping> mapping, QueryMapping(fd.get(), path, address));
    if (!mapping) break;
    address = mapping->end;
    mappings.push_back(*std::move(mapping));
  }
  // A zombie has no mappings, and no gate page either.
  if (!mappings.empty()) CKPT_TRY(AppendGateMapping(mappings));
  return mappings;
}

}  // namespace

Result<std::vector<Mapping>> ParseMaps(std::string_view text) {
  std::vector<Mapping> mappings;
  TextScanner scanner(text);
  while (!scanner.AtEnd()) {
    const std::string_view line = scanner.ReadLine();
    if (!ParseMapping(line, mappings.emplace_back())) {
      return BadLine(mappings.size(), line, kMappingShape);
    }
  }
  return mappings;
}

Result<std::vector<Mapping>> ParseSmaps(std::string_view text) {
  std::vector<Mapping> mappings;
  TextScanner scanner(text);
  for (size_t number = 1; !scanner.AtEnd(); ++number) {
    const std::string_view line = scanner.ReadLine();
    if (!line.empty() && IsUsageLine(line) && !mappings.empty()) {
      if (ParseUsageLine(line, *mappings.back().usage)) continue;
      return BadLine(number, line, "a number");
    }
    Mapping& mapping = mappings.emplace_back();
    mapping.usage.emplace();
    if (!ParseMapping(line, mapping)) return BadLine(number, line, kMappingShape);
  }
  return mappings;
}

Result<std::vector<Mapping>> ReadMappings(pid_t pid, const KernelFeatures& features) {
  const std::string path = fmt::format("/proc/{}/maps", pid);
  return features.procmap_query ? QueryMappings(path) : ReadProcFile(path, ParseMaps);
}

Result<std::vector<Mapping>> ReadSmaps(pid_t pid) {
  return ReadProcFile(fmt::format("/proc/{}/smaps", pid), ParseSmaps);
}

}  // namespace ckpt
