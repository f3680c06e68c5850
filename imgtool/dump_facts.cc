#include "imgtool/dump_facts.h"

#include <algorithm>

namespace ckpt {

namespace {

auto RangeOf(const DumpFacts& facts, const DumpedFile& file) {
  const auto id_of = [](const RecordedMapping& mapping) { return mapping.entry.reg_file_id(); };
  return std::ranges::equal_range(facts.mappings, file.entry.id(), {}, id_of);
}

bool NamesFile(const RecordedMapping& mapping, const DumpedFile& file) {
  return mapping.entry.map_files_path() == file.entry.name();
}

}  // namespace

std::vector<RecordedMapping> MappingsOf(const DumpFacts& facts, const DumpedFile& file) {
  std::vector<RecordedMapping> mappings;
  for (const RecordedMapping& mapping : RangeOf(facts, file)) {
    if (NamesFile(mapping, file)) mappings.push_back(mapping);
  }
  return mappings;
}

const RecordedMapping* FindMapping(const DumpFacts& facts, const DumpedFile& file) {
  for (const RecordedMapping& mapping : RangeOf(facts, file)) {
    if (NamesFile(mapping, file)) return &mapping;
  }
  return nullptr;
}

}  // namespace ckpt
