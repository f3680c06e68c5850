// Which directories of which file systems the mounts of a dump show: what tells the mounts that a
// restorer binds from another one of the dump from those that it has to be given.
#ifndef FORMATS_CHECK_MOUNTED_DIRECTORIES_H_
#define FORMATS_CHECK_MOUNTED_DIRECTORIES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "formats/proto/mounts.pb.h"

namespace ckpt {

// A key is set, in either of the format's two ways.
bool IsExternal(const pb::mnt_entry& mount);

// AUFS, overlayfs, FUSE: what they show is in directories or processes outside the dump.
bool IsUnionType(const pb::mnt_entry& mount);

// Whether a restorer makes the file system itself: one that it knows by number or by name.
bool CanBeMade(const pb::mnt_entry& mount);

// Of the mounts of all namespaces that a restorer makes: it binds from one into another.
class MountedDirectories {
 public:
  // The mount must outlive this object. `is_given`: the restorer has it from outside the dump.
  void Add(const pb::mnt_entry& mount, bool is_given);

  // Whether another mount shows all that this one, which was added and not given, does. Of two that
  // show the same the one that was added first is the one to bind from.
  bool HasWider(const pb::mnt_entry& mount) const;

 private:
  struct Directory {
    const pb::mnt_entry* first = nullptr;
    bool is_given = false;
  };

  // By device and type, and by path.
  std::map<std::pair<uint32_t, uint32_t>, std::map<std::string, Directory>> by_superblock_;
};

}  // namespace ckpt

#endif  // FORMATS_CHECK_MOUNTED_DIRECTORIES_H_
