// Files of a frozen tree that have no name any more, and are dumped with what is in them:
// ghost-file-*.img and remap-fpath.img.
#ifndef DUMPER_GHOST_FILES_H_
#define DUMPER_GHOST_FILES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "formats/proto/files.pb.h"
#include "process/linked_file.h"

namespace ckpt {

// CRIU's, for what a ghost takes on disk.
inline constexpr uint64_t kDefaultGhostLimitBytes = uint64_t{1} << 20;

// A limit in bytes, or with K, M or G after the number. kUsage for anything else.
Result<uint64_t> ParseGhostLimit(std::string_view text);

// A run of bytes of a ghost.
struct GhostChunk {
  uint64_t offset_bytes = 0;
  std::string bytes;
};

struct GhostFile {
  uint32_t id = 0;  // of its image, from 1
  pb::ghost_file_entry entry;
  // With entry.chunks() what is between the holes, else one with all, or none where it is empty or
  // no regular file.
  std::vector<GhostChunk> chunks;
};

class GhostFiles {
 public:
  explicit GhostFiles(uint64_t limit_bytes = kDefaultGhostLimitBytes) : limit_bytes_(limit_bytes) {}

  // Why `file`, which is deleted, cannot be one, or nothing.
  std::optional<std::string> ReasonToRefuse(const LinkedFile& file) const;

  // Has the file entry `file_id` stand for `file`, which is deleted and not refused. `link`, of
  // /proc, leads to it. What is in it is read now, its times stay as they are; it becomes one ghost
  // however often it is added, and the same entry again is nothing new.
  Result<> Add(uint32_t file_id, const LinkedFile& file, const std::string& link);

  const std::vector<GhostFile>& files() const { return files_; }
  const std::vector<pb::remap_file_path_entry>& remaps() const { return remaps_; }

 private:
  uint64_t limit_bytes_;
  std::vector<GhostFile> files_;
  std::vector<pb::remap_file_path_entry> remaps_;
  std::map<std::tuple<uint32_t, uint32_t, uint64_t>, uint32_t> ids_;  // by device and inode
  std::set<uint32_t> remapped_;                                       // file entries
};

}  // namespace ckpt

#endif  // DUMPER_GHOST_FILES_H_
