// Files of a dump that had no name left, with what was in them: ghost-file-*.img.
#ifndef RESTORER_GHOST_IMAGES_H_
#define RESTORER_GHOST_IMAGES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/dump_directory.h"
#include "formats/proto/files.pb.h"

namespace ckpt {

struct GhostChunkImage {
  uint64_t offset_bytes = 0;
  std::string bytes;
};

struct GhostImage {
  pb::ghost_file_entry entry;
  uint64_t size_bytes = 0;
  std::vector<GhostChunkImage> chunks;  // what is between them is holes
};

// Those that `remaps` name, by id. kBadFormat where a chunk lies outside of its file.
Result<std::map<uint32_t, GhostImage>> LoadGhostImages(
    const DumpDirectory& dump, const std::vector<pb::remap_file_path_entry>& remaps);

}  // namespace ckpt

#endif  // RESTORER_GHOST_IMAGES_H_
