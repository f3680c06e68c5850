// The images of a dump that a restore starts from, decoded and put together by task, and still as
// the dump spells them: plan_builder.h judges what they say.
#ifndef RESTORER_DUMP_IMAGES_H_
#define RESTORER_DUMP_IMAGES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/pages_image.h"
#include "formats/proto/cgroup.pb.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/sockets.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/proto/tty.pb.h"
#include "restorer/ghost_images.h"
#include "restorer/namespace_images.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// tc.task_state of a zombie.
inline constexpr uint32_t kDeadTaskState = 2;

struct TaskImages {
  pb::pstree_entry tree;
  std::vector<pb::core_entry> threads;  // in the order of tree.threads; of a zombie one
  std::optional<pb::task_kobj_ids_entry> ids;
  std::optional<pb::mm_entry> mm;
  std::optional<pb::fs_entry> fs;
  std::vector<pb::fdinfo_entry> descriptors;
  std::vector<PagesPlan> pages;  // by address; through the parent chain
};

struct PipeDataImage {
  pb::pipe_data_entry entry;
  std::string content;
};

struct SocketPacketImage {
  pb::sk_packet_entry entry;
  std::string content;
};

struct DumpImages {
  pb::inventory_entry inventory;
  std::vector<TaskImages> tasks;
  std::vector<pb::file_entry> files;
  std::vector<PipeDataImage> pipe_data;
  std::vector<PipeDataImage> fifo_data;
  std::vector<SocketPacketImage> socket_packets;
  std::vector<pb::remap_file_path_entry> remaps;
  std::map<uint32_t, GhostImage> ghosts;  // by remap_id
  std::vector<pb::tty_info_entry> terminals;
  std::vector<pb::memfd_inode_entry> memfds;
  // Shared anonymous memory that has pages, by shmid; the ranges are of bytes in it.
  std::map<uint64_t, std::vector<PagesPlan>> shared_pages;
  NamespaceImages namespaces;  // of the first task
  pb::cgroup_entry cgroups;    // empty without an image
};

// A dump as it was read.
struct LoadedDump {
  DumpImages images;
  std::vector<SharedPages> pages_images;  // what PagesPlan::source counts
};

// Reads the dump in the directory `path`, and the pages of those behind it. Images that are missing
// or broken, and those of a kind that a restore has no use for yet, are told in one error, a line
// each.
Result<LoadedDump> LoadDump(const std::string& path);

}  // namespace ckpt

#endif  // RESTORER_DUMP_IMAGES_H_
