#include "dumper/dump_images.h"

#include <time.h>

#include <vector>

#include "dumper/cgroups.h"
#include "formats/image_type.h"
#include "formats/image_version.h"
#include "formats/image_writer.h"
#include "formats/pagemap.h"
#include "formats/proto/inventory.pb.h"

namespace ckpt {

namespace {

template <typename Message>
Result<> AddEntries(StagedFileSet& files, ImageType type, uint64_t id,
                    const std::vector<Message>& messages) {
  ImageEncoder image(type);
  for (const Message& message : messages) CKPT_TRY(image.Append(message));
  return files.Add(ImageFileName(type, id), AsBytes(image.bytes()), kImageMode);
}

template <typename Message>
Result<> AddEntry(StagedFileSet& files, ImageType type, uint64_t id, const Message& message) {
  return AddEntries(files, type, id, std::vector<Message>{message});
}

pb::task_kobj_ids_entry OwnIds() {
  pb::task_kobj_ids_entry ids;
  ids.set_vm_id(kOwnObjectsId);
  ids.set_files_id(kOwnObjectsId);
  ids.set_fs_id(kOwnObjectsId);
  ids.set_sighand_id(kOwnObjectsId);
  FillOwnNamespaceIds(&ids);
  return ids;
}

Result<> AddInventory(const Snapshot& snapshot, StagedFileSet& files) {
  pb::inventory_entry inventory;
  inventory.set_img_version(snapshot.has_compressed_pages ? WithZstdMark(kNewestImageVersion)
                                                          : kNewestImageVersion);
  inventory.set_fdinfo_per_id(true);
  inventory.set_ns_per_id(true);
  *inventory.mutable_root_ids() = OwnIds();
  inventory.set_root_cg_set(kDumperCgroupSet);
  inventory.set_lsmtype(pb::NO_LSM);
  timespec uptime{};
  clock_gettime(CLOCK_BOOTTIME, &uptime);
  inventory.set_dump_uptime(static_cast<uint64_t>(uptime.tv_sec) * 1'000'000 +
                            static_cast<uint64_t>(uptime.tv_nsec) / 1'000);
  return AddEntry(files, ImageType::kInventory, 0, inventory);
}

Result<> AddPagemap(ImageType type, uint64_t id, uint32_t pages_id,
                    const std::vector<RemoteRange>& pages, StagedFileSet& files) {
  ImageEncoder image(type);
  pb::pagemap_head head;
  head.set_pages_id(pages_id);
  CKPT_TRY(image.Append(head));
  for (const RemoteRange& range : pages) {
    CKPT_TRY(
        image.Append(MakePagemapEntry(range.start, range.size_bytes() / kPageSize, kPagesPresent)));
  }
  return files.Add(ImageFileName(type, id), AsBytes(image.bytes()), kImageMode);
}

Result<> AddPipes(const std::vector<PipeContent>& pipes, ImageType type, StagedFileSet& files) {
  if (pipes.empty()) return success();
  ImageEncoder image(type);
  for (const PipeContent& pipe : pipes) CKPT_TRY(image.Append(pipe.entry, AsBytes(pipe.bytes)));
  return files.Add(ImageFileName(type), AsBytes(image.bytes()), kImageMode);
}

Result<> AddPackets(const std::vector<SocketPacket>& packets, StagedFileSet& files) {
  if (packets.empty()) return success();
  ImageEncoder image(ImageType::kSkQueues);
  for (const SocketPacket& packet : packets) {
    CKPT_TRY(image.Append(packet.entry, AsBytes(packet.bytes)));
  }
  return files.Add(ImageFileName(ImageType::kSkQueues), AsBytes(image.bytes()), kImageMode);
}

// The content follows the entry, or is in entries of its own.
Result<> AddGhost(const GhostFile& ghost, StagedFileSet& files) {
  ImageEncoder image(ImageType::kGhostFile);
  const bool has_chunks = ghost.entry.chunks();
  const bool has_content = !has_chunks && !ghost.chunks.empty();
  CKPT_TRY(image.Append(ghost.entry, has_content ? AsBytes(ghost.chunks.front().bytes) : Bytes()));
  for (const GhostChunk& chunk : ghost.chunks) {
    if (!has_chunks) break;
    pb::ghost_chunk_entry entry;
    entry.set_off(chunk.offset_bytes);
    entry.set_len(chunk.bytes.size());
    CKPT_TRY(image.Append(entry, AsBytes(chunk.bytes)));
  }
  return files.Add(ImageFileName(ImageType::kGhostFile, ghost.id), AsBytes(image.bytes()),
                   kImageMode);
}

Result<> AddGhosts(const GhostFiles& ghosts, StagedFileSet& files) {
  if (ghosts.files().empty()) return success();
  for (const GhostFile& ghost : ghosts.files()) CKPT_TRY(AddGhost(ghost, files));
  return AddEntries(files, ImageType::kRemapFpath, 0, ghosts.remaps());
}

Result<> AddStats(const Snapshot& snapshot, StagedFileSet& files) {
  pb::stats_entry stats;
  *stats.mutable_dump() = snapshot.stats;
  return AddEntry(files, ImageType::kStats, kStatsOfDump, stats);
}

Result<> AddTree(const Snapshot& snapshot, StagedFileSet& files) {
  std::vector<pb::pstree_entry> entries;
  for (const TaskSnapshot& task : snapshot.tasks) entries.push_back(task.tree);
  return AddEntries(files, ImageType::kPstree, 0, entries);
}

Result<> AddTask(const TaskSnapshot& task, StagedFileSet& files) {
  const uint32_t pid = task.tree.pid();
  for (size_t i = 0; i < task.cores.size(); ++i) {
    CKPT_TRY(
        AddEntry(files, ImageType::kCore, task.tree.threads(static_cast<int>(i)), task.cores[i]));
  }
  if (task.is_zombie) return success();
  CKPT_TRY(AddEntry(files, ImageType::kIds, pid, task.ids));
  CKPT_TRY(AddEntry(files, ImageType::kMm, pid, task.mm));
  CKPT_TRY(AddEntry(files, ImageType::kFs, pid, task.fs));
  return AddPagemap(ImageType::kPagemap, pid, task.pages_id, task.pages, files);
}

}  // namespace

void FillOwnNamespaceIds(pb::task_kobj_ids_entry* ids) {
  ids->set_pid_ns_id(1);
  ids->set_net_ns_id(2);
  ids->set_ipc_ns_id(3);
  ids->set_uts_ns_id(4);
  ids->set_mnt_ns_id(kMntNsId);
  ids->set_user_ns_id(6);
  ids->set_cgroup_ns_id(7);
  ids->set_time_ns_id(8);
}

Result<> AddImages(const Snapshot& snapshot, StagedFileSet& files) {
  CKPT_TRY(AddInventory(snapshot, files));
  CKPT_TRY(AddTree(snapshot, files));
  for (const TaskSnapshot& task : snapshot.tasks) CKPT_TRY(AddTask(task, files));
  for (const SharedMemory& memory : snapshot.shared_memories.memories()) {
    CKPT_TRY(
        AddPagemap(ImageType::kShmemPagemap, memory.shmid, memory.pages_id, memory.pages, files));
  }
  CKPT_TRY(AddEntries(files, ImageType::kFiles, 0, snapshot.files.entries()));
  for (const FdinfoTable& table : snapshot.descriptor_tables) {
    CKPT_TRY(AddEntries(files, ImageType::kFdinfo, table.files_id, table.fds));
  }
  CKPT_TRY(AddEntries(files, ImageType::kCkptRaw, 0, snapshot.raw_facts));
  CKPT_TRY(AddEntries(files, ImageType::kSeccomp, 0, std::vector<pb::seccomp_entry>{{}}));
  CKPT_TRY(AddPipes(snapshot.contents.pipes, ImageType::kPipesData, files));
  CKPT_TRY(AddPipes(snapshot.contents.fifos, ImageType::kFifoData, files));
  CKPT_TRY(AddPackets(snapshot.contents.packets, files));
  if (!snapshot.contents.terminals.empty()) {
    CKPT_TRY(AddEntries(files, ImageType::kTtyInfo, 0, snapshot.contents.terminals));
  }
  CKPT_TRY(AddGhosts(snapshot.files.ghosts(), files));
  return AddStats(snapshot, files);
}

}  // namespace ckpt
