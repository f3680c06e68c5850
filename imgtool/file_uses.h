// Who refers to the files of a dump: mappings, executables, directories, descriptors.
#ifndef IMGTOOL_FILE_USES_H_
#define IMGTOOL_FILE_USES_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

struct FileUse {
  bool mapped = false;
  bool other = false;  // executable, cwd, root, descriptor, fifo, terminal or remap
  // Of the tasks that refer to it, as far as the dump tells: mount namespaces, root directories.
  std::set<uint32_t> mnt_ns_ids;
  std::set<std::string> roots;

  // AUFS of old lied about mappings only.
  bool MappedOnly() const { return mapped && !other; }
};

// The images of one task, as far as the dump has them.
struct TaskImages {
  std::optional<uint32_t> mnt_ns_id;
  std::string root;  // the name of its root directory; empty where the dump does not tell
  std::optional<pb::mm_entry> mm;
  std::vector<pb::vma_entry> old_vmas;  // of vmas-PID.img
  std::optional<pb::fs_entry> fs;
  std::vector<pb::fdinfo_entry> descriptors;
};

class FileUses {
 public:
  void AddTask(const TaskImages& task);
  // What a fifo, a terminal or a remap says of the file behind it.
  void AddOther(uint32_t file_id) { uses_[file_id].other = true; }

  // An unused one for a file that nothing refers to.
  const FileUse& Get(uint32_t file_id) const;

 private:
  void AddVma(const pb::vma_entry& vma, const TaskImages& task);
  FileUse& Use(uint64_t file_id, const TaskImages& task);

  std::unordered_map<uint32_t, FileUse> uses_;
};

}  // namespace ckpt

#endif  // IMGTOOL_FILE_USES_H_
