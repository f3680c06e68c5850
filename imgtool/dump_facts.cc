#include "imgtool/dump_facts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ckpt {

namespace {

uint32_t IdOf(const RecordedMapping& mapping) { return mapping.entry.reg_file_id(); }

// Pointers to the recorded mappings of a file's id whose link gave it its name, the first `most`.
std::vector<const RecordedMapping*> FindMappings(const DumpFacts& facts, const DumpedFile& file,
                                                 size_t most) {
  std::vector<const RecordedMapping*> found;
  const uint32_t id = file.entry.id();
  auto mapping = std::ranges::lower_bound(facts.mappings, id, {}, IdOf);
  for (; mapping != facts.mappings.end() && IdOf(*mapping) == id; ++mapping) {
    if (found.size() == most) break;
    if (mapping->entry.map_files_path() == file.entry.name()) found.push_back(&*mapping);
  }
  return found;
}

}  // namespace

std::vector<const RecordedMapping*> MappingsOf(const DumpFacts& facts, const DumpedFile& file) {
  return FindMappings(facts, file, SIZE_MAX);
}

const RecordedMapping* FindMapping(const DumpFacts& facts, const DumpedFile& file) {
  const auto found = FindMappings(facts, file, 1);
  return found.empty() ? nullptr : found.front();
}

std::vector<DumpedMount> MountsToMake(const DumpFacts& facts) {
  std::vector<DumpedMount> all;
  for (const auto& [mnt_ns_id, mounts] : facts.mounts.namespaces()) {
    if (mnt_ns_id == facts.shared_mnt_ns_id) continue;
    const bool is_first = mnt_ns_id == facts.root_mnt_ns_id;
    all.insert(is_first ? all.begin() : all.end(), mounts.begin(), mounts.end());
  }
  return all;
}

}  // namespace ckpt
