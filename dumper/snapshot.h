// All that is known of a tree while it is frozen, and all that its images are written from.
#ifndef DUMPER_SNAPSHOT_H_
#define DUMPER_SNAPSHOT_H_

#include <cstdint>
#include <vector>

#include "dumper/descriptors.h"
#include "dumper/file_table.h"
#include "dumper/mappings.h"
#include "dumper/shared_memory.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "formats/proto/stats.pb.h"
#include "formats/proto/task.pb.h"
#include "process/remote_ptr.h"

namespace ckpt {

// One process. Ids of processes and threads are those of the innermost PID namespace, as in all
// images.
struct TaskSnapshot {
  pb::pstree_entry tree;
  std::vector<pb::core_entry> cores;  // as tree.threads: the leader first
  bool is_zombie = false;             // then there is nothing more
  pb::task_kobj_ids_entry ids;
  pb::mm_entry mm;
  pb::fs_entry fs;
  uint32_t pages_id = 0;
  std::vector<RemoteRange> pages;  // ascending; their bytes are in pages-<pages_id>.img
};

// The descriptors of the processes that have this files_id.
struct FdinfoTable {
  uint32_t files_id = 0;
  std::vector<pb::fdinfo_entry> fds;  // by number
};

struct Snapshot {
  std::vector<TaskSnapshot> tasks;  // parents before their children
  FileTable files;
  std::vector<FdinfoTable> descriptor_tables;
  FileContents contents;
  SharedMemories shared_memories;
  std::vector<pb::mnt_entry> mounts;
  std::vector<pb::raw_fact_entry> raw_facts;
  pb::dump_stats_entry stats;
  bool has_compressed_pages = false;  // those of the dump that it becomes
};

// Numbers of kernel objects (ids-*.img) are only equality classes, but a restorer wants the
// descriptor table of the dumper (inventory) to be another than those of the tree.
inline constexpr uint32_t kOwnObjectsId = 1;
inline constexpr uint32_t kFirstTaskObjectsId = 2;
inline constexpr uint32_t kFirstPagesId = 1;
inline constexpr uint32_t kMntNsId = 5;

}  // namespace ckpt

#endif  // DUMPER_SNAPSHOT_H_
