// The entries of files.img being collected, and the one id space that they share.
#ifndef DUMPER_FILE_TABLE_H_
#define DUMPER_FILE_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "dumper/ghost_files.h"
#include "formats/proto/files.pb.h"
#include "process/linked_file.h"

namespace ckpt {

class FileTable {
 public:
  FileTable() = default;
  explicit FileTable(uint64_t ghost_limit_bytes) : ghosts_(ghost_limit_bytes) {}

  // A file that no descriptor stands for: mapped, executed, or a working or root directory. `flags`
  // are those to open it with. The same file with the same flags has one id.
  uint32_t AddPath(const LinkedFile& file, uint32_t flags);

  // An open file description. The entry and the member of its type get the id, which is returned.
  uint32_t AddRegular(const LinkedFile& file, uint32_t flags, uint64_t position_bytes,
                      const pb::fown_entry& owner);
  uint32_t AddPipe(uint32_t pipe_id, uint32_t flags, const pb::fown_entry& owner);
  // One that a regular entry, `regular_id`, has the path, flags and owner of.
  uint32_t AddFifo(uint32_t pipe_id, uint32_t regular_id);
  // Of any other kind: a new entry with its id, whose member of the type the caller fills. It stays
  // where it is until the next one is added.
  pb::file_entry& Add(pb::fd_types type);

  const std::vector<pb::file_entry>& entries() const { return entries_; }
  // For what is found out about files when all are known.
  std::vector<pb::file_entry>& mutable_entries() { return entries_; }

  // The device numbers (makedev(3)) of regular entries that are devices, by id.
  const std::map<uint32_t, uint64_t>& devices() const { return devices_; }

  // Whoever adds a regular entry of a deleted file makes it stand for a ghost.
  GhostFiles& ghosts() { return ghosts_; }
  const GhostFiles& ghosts() const { return ghosts_; }
  // Takes their mounts out of the entries of deleted files. CRIU looks for those in images of a
  // mount namespace, and there are none where that is the dumper's.
  void ForgetMountsOfGhosts();

 private:
  std::vector<pb::file_entry> entries_;
  std::map<uint32_t, uint64_t> devices_;
  GhostFiles ghosts_;
  std::map<std::tuple<std::string, uint64_t, int32_t, uint32_t>, uint32_t> paths_;
};

}  // namespace ckpt

#endif  // DUMPER_FILE_TABLE_H_
