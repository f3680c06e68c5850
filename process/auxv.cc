#include "process/auxv.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/file.h"

namespace ckpt {

Result<std::vector<AuxvEntry>> ParseAuxv(Bytes bytes) {
  std::vector<AuxvEntry> auxv;
  ByteReader reader(bytes);
  while (!reader.AtEnd()) {
    const size_t offset = reader.offset();
    const auto type = reader.ReadU64();
    const auto value = reader.ReadU64();
    if (!type || !value) {
      return MakeError(ErrorCode::kBadFormat,
                       "entry at offset {}: {} bytes left of the 16 of a pair", offset,
                       bytes.size() - offset);
    }
    auxv.push_back({*type, *value});
  }
  return auxv;
}

std::optional<uint64_t> FindAuxv(const std::vector<AuxvEntry>& auxv, uint64_t type) {
  const auto found = std::ranges::find_if(
      auxv, [type](const AuxvEntry& entry) { return entry.type == type || entry.type == AT_NULL; });
  if (found == auxv.end() || found->type != type) return std::nullopt;
  return found->value;
}

Result<std::vector<AuxvEntry>> ReadAuxv(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/auxv", pid);
  CKPT_TRY(const std::string bytes, ReadWholeFile(path));
  auto auxv = ParseAuxv(AsBytes(bytes));
  if (auxv.has_error()) return std::move(auxv).error().In(path);
  return auxv;
}

}  // namespace ckpt
