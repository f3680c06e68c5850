#include "process/mapping.h"

#include <sys/mman.h>

#include <array>
#include <string_view>
#include <utility>

namespace ckpt {

int Mapping::protection() const {
  return (readable ? PROT_READ : 0) | (writable ? PROT_WRITE : 0) | (executable ? PROT_EXEC : 0);
}

SpecialMapping SpecialMappingOf(const Mapping& mapping) {
  using enum SpecialMapping;
  constexpr std::array<std::pair<std::string_view, SpecialMapping>, 6> kNames = {{
      {"[heap]", kHeap},
      {"[stack]", kStack},
      {"[vdso]", kVdso},
      {"[vvar]", kVvar},
      {"[vvar_vclock]", kVvarVclock},
      {"[vsyscall]", kVsyscall},
  }};
  for (const auto& [name, special] : kNames) {
    if (mapping.path == name) return special;
  }
  return mapping.path.starts_with('[') ? kOther : kNone;
}

std::vector<RemoteRange> FindExecutableRanges(std::span<const Mapping> mappings) {
  std::vector<RemoteRange> ranges;
  for (const Mapping& mapping : mappings) {
    const SpecialMapping special = SpecialMappingOf(mapping);
    if (!mapping.executable || special == SpecialMapping::kVsyscall) continue;
    const bool vdso = special == SpecialMapping::kVdso;
    ranges.insert(vdso ? ranges.begin() : ranges.end(), {mapping.start, mapping.end});
  }
  return ranges;
}

}  // namespace ckpt
