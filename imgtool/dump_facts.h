// What the images of a dump say about paths and mounts: all that the passes of a fixup look at.
#ifndef IMGTOOL_DUMP_FACTS_H_
#define IMGTOOL_DUMP_FACTS_H_

#include <string>
#include <vector>

#include "formats/proto/files.pb.h"
#include "formats/proto/raw_facts.pb.h"
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
  std::string mountpoint;  // in the names that the dump's paths are written in
};
struct RecordedMapping {
  EntryPlace place;
  pb::raw_mapping entry;
};

struct DumpFacts {
  std::vector<DumpedFile> files;
  FileUses uses;
  MountTable mounts;
  std::vector<RecordedUnion> unions;
  std::vector<RecordedMapping> mappings;  // by reg_file_id
};

// The recorded mappings whose map_files link gave the file its name.
std::vector<RecordedMapping> MappingsOf(const DumpFacts& facts, const DumpedFile& file);
// The first of them, or null.
const RecordedMapping* FindMapping(const DumpFacts& facts, const DumpedFile& file);

// A mountpoint as the dump's paths would name it. ckpt-dump records mountpoints as the task's own
// mountinfo has them, below the task's root directory, but paths as seen from outside: those of a
// chrooted task begin with `root`, which is "/" or empty for other tasks. A mountpoint that lies
// below `root` already is taken as it is.
std::string MountpointBelow(const std::string& root, const std::string& mountpoint);

}  // namespace ckpt

#endif  // IMGTOOL_DUMP_FACTS_H_
