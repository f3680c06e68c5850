// The files that the mappings of a process refer to.
#ifndef IMGTOOL_MEMORY_MAPPED_FILES_H_
#define IMGTOOL_MEMORY_MAPPED_FILES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "formats/dump_directory.h"
#include "formats/proto/memory.pb.h"

namespace ckpt {

struct MappedFile {
  std::string name;  // as /proc/PID/maps would have it; any bytes
  // Of a file in memory: the id of its pages (pagemap-shmem-ID.img).
  std::optional<uint64_t> shared_memory_id;
};

class MappedFiles {
 public:
  static Result<MappedFiles> Read(const DumpDirectory& dump, const pb::mm_entry& mm);

  // Null where the dump knows no such file.
  const MappedFile* Find(uint64_t id) const;

 private:
  std::map<uint64_t, MappedFile> files_;
};

// Whether vma_entry.shmid is the id of a file.
bool MapsFile(const pb::vma_entry& vma);

// What stands behind a mapping in /proc/PID/maps: a path, "[heap]", "[stack]", ...; for what the
// kernel has no such name, one of the same form: "[shared memory 3]". Empty for private anonymous
// memory.
std::string NameOfMapping(const pb::vma_entry& vma, const MappedFiles& files);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_MAPPED_FILES_H_
