// What the images of a dump say about paths and mounts: all that the passes of a fixup look at.
#ifndef IMGTOOL_DUMP_FACTS_H_
#define IMGTOOL_DUMP_FACTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/proto/files.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "imgtool/dumped_names.h"
#include "imgtool/edit_plan.h"
#include "imgtool/file_uses.h"
#include "imgtool/mount_table.h"

namespace ckpt {

// A regular file's entry, of files.img or the old reg-files.img.
struct DumpedFile {
  EntryPlace place;
  std::string field_prefix;  // "reg." in files.img, "" in reg-files.img
  pb::reg_file_entry entry;
};

// Facts of ckpt-raw.img.
struct RecordedUnion {
  EntryPlace place;
  pb::raw_union entry;
};
struct RecordedMapping {
  EntryPlace place;
  pb::raw_mapping entry;
};

struct DumpFacts {
  std::vector<DumpedFile> files;
  DumpedNames names;
  std::vector<pb::remap_file_path_entry> remaps;
  FileUses uses;
  MountTable mounts;
  // The mount namespace that the dumper lived in, and that a restorer will: its mounts are not made
  // again, and its paths are the restorer's. Nothing where the dump does not tell.
  std::optional<uint32_t> shared_mnt_ns_id;
  // That of the first process. Nothing where the dump does not tell.
  std::optional<uint32_t> root_mnt_ns_id;
  std::vector<RecordedUnion> unions;
  std::vector<RecordedMapping> mappings;  // by reg_file_id
};

// The recorded mappings whose map_files link gave the file its name.
std::vector<const RecordedMapping*> MappingsOf(const DumpFacts& facts, const DumpedFile& file);
// The first of them, or null.
const RecordedMapping* FindMapping(const DumpFacts& facts, const DumpedFile& file);

// The mounts that a restorer makes: those of the first process's namespace first (without a word on
// that, of the lowest number), then those of the other namespaces of the dump.
std::vector<DumpedMount> MountsToMake(const DumpFacts& facts);

}  // namespace ckpt

#endif  // IMGTOOL_DUMP_FACTS_H_
