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

// The gate page is in no list of VMAs, so no ioctl gives it; it is the same for every process, and
// as long as the system runs.
Result<std::optional<Mapping>> FindGateMapping() {
  CKPT_TRY(std::vector<Mapping> own, ReadProcFile("/proc/self/maps", ParseMaps));
  if (own.empty() || SpecialMappingOf(own.back()) != SpecialMapping::kVsyscall) return std::nullopt;
  return std::move(own.back());
}

Result<> AppendGateMapping(std::vector<Mapping>& mappings) {
  static const Result<std::optional<Mapping>> found = FindGateMapping();
  CKPT_TRY(const std::optional<Mapping> gate, found);
  if (gate) mappings.push_back(*gate);
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

// The path is set off by spaces; the kernel keeps those that are part of it, as it starts with
// none.
Result<> ParseMappingLine(size_t number, std::string_view line, Mapping& mapping) {
  TextScanner scanner(line);
  if (!ReadRange(scanner, mapping) || !ReadPermissions(scanner, mapping) ||
      !ReadFile(scanner, mapping) || !(scanner.AtEnd() || scanner.Skip(' '))) {
    return MakeError(ErrorCode::kBadFormat,
                     "line {}: found \"{}\", expected \"start-end rwxs offset major:minor inode "
                     "[path]\"",
                     number, line);
  }
  scanner.SkipBlanks();
  mapping.path = UnescapeNewlines(scanner.rest());
  return success();
}

Result<std::vector<Mapping>> ParseMaps(std::string_view text) {
  std::vector<Mapping> mappings;
  TextScanner scanner(text);
  while (!scanner.AtEnd()) {
    const std::string_view line = scanner.ReadLine();
    Mapping& mapping = mappings.emplace_back();
    CKPT_TRY(ParseMappingLine(mappings.size(), line, mapping));
  }
  return mappings;
}

Result<std::vector<Mapping>> ReadMappings(pid_t pid, const KernelFeatures& features) {
  const std::string path = fmt::format("/proc/{}/maps", pid);
  return features.procmap_query ? QueryMappings(path) : ReadProcFile(path, ParseMaps);
}

}  // namespace ckpt
