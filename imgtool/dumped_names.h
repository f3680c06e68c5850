// Paths of a dump that are no regular file's: of sockets, watches and the cache that finds watched
// inodes; and the device numbers beside them.
#ifndef IMGTOOL_DUMPED_NAMES_H_
#define IMGTOOL_DUMPED_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/image_file.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct DumpedName {
  EntryPlace place;
  std::string field;         // of the path: "usk.name"
  std::string mnt_id_field;  // of its mount, empty where there is none
  std::string path;          // absolute
  std::string tail;          // what the field has behind the path: a socket's NUL
  size_t most_bytes = 0;     // a longer path is none
  std::optional<int64_t> mnt_id;
};

// A watch on an inode, which a handle tells and perhaps a path.
struct DumpedWatch {
  EntryPlace place;
  std::string handle_field;  // "ify.wd[0].f_handle"
  uint32_t device = 0;       // major << 20 | minor
  uint64_t inode = 0;
  bool has_path = false;
  bool has_mnt_id = false;
};

// An entry of irmap-cache.
struct DumpedInodePath {
  uint32_t device = 0;  // major << 20 | minor
  uint64_t inode = 0;
  std::string path;
};

// A device number in the kernel's encoding.
struct DumpedDevice {
  EntryPlace place;
  std::string field;
  uint32_t device = 0;
};

struct DumpedNames {
  std::vector<DumpedName> names;
  std::vector<DumpedWatch> watches;
  std::vector<DumpedInodePath> inode_paths;
  std::vector<DumpedDevice> devices;
};

// Adds what an image of files.img, unixsk.img, inotify-wd.img, fanotify-mark.img, irmap-cache or
// ghost-file-N.img has; of other images nothing.
Result<> AddNames(const ImageFile& image, const std::string& file_name, DumpedNames& names);

}  // namespace ckpt

#endif  // IMGTOOL_DUMPED_NAMES_H_
