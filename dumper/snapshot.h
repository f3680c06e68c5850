// All that is known of a process while it is frozen, and all that its images are written from.
#ifndef DUMPER_SNAPSHOT_H_
#define DUMPER_SNAPSHOT_H_

#include <cstdint>
#include <vector>

#include "dumper/descriptors.h"
#include "dumper/file_table.h"
#include "dumper/mappings.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "formats/proto/stats.pb.h"
#include "formats/proto/task.pb.h"
#include "process/remote_ptr.h"

namespace ckpt {

struct Snapshot {
  pb::pstree_entry tree;
  std::vector<pb::core_entry> cores;  // as tree.threads: the leader first
  pb::mm_entry mm;
  pb::fs_entry fs;
  FileTable files;
  Descriptors descriptors;
  std::vector<pb::mnt_entry> mounts;
  std::vector<pb::raw_fact_entry> raw_facts;
  std::vector<RemoteRange> pages;  // ascending; their bytes are in pages-1.img
  pb::dump_stats_entry stats;
};

// Identities in the images of a dump of one process. Numbers are only equality classes, but a
// restorer wants the descriptor table of the dumper (inventory) to be another than the process's.
inline constexpr uint32_t kOwnObjectsId = 1;
inline constexpr uint32_t kTaskObjectsId = 2;
inline constexpr uint32_t kPagesId = 1;
inline constexpr uint32_t kMntNsId = 5;

}  // namespace ckpt

#endif  // DUMPER_SNAPSHOT_H_
