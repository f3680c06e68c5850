// The open file descriptions of a dump, and the descriptors that refer to them.
#ifndef IMGTOOL_EXPLORE_OPEN_FILES_H_
#define IMGTOOL_EXPLORE_OPEN_FILES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/proto/files.pb.h"
#include "imgtool/explore/dump_reader.h"
#include "imgtool/explore/dumped_tasks.h"

namespace ckpt {

// A descriptor, named by the first process that has its table.
struct Holder {
  uint32_t pid;
  uint32_t fd;
};

// "5/3 7/3", and beyond `limit` how many more there are.
std::string HoldersText(const std::vector<Holder>& holders, size_t limit);

// A description is known by its kind and its number; equal numbers of two kinds are two files.
using FileKey = uint64_t;
inline FileKey KeyOf(uint32_t type, uint32_t id) { return uint64_t{type} << 32 | id; }

// What describes open files: files.img, or the images of old that each have one kind of them.
class FileDescriptions {
 public:
  static FileDescriptions Read(DumpReader& reader);

  // Null where there is none.
  const pb::file_entry* Find(uint32_t type, uint32_t id) const;
  // A file with a path, as working directories and mappings refer to it: REG or MEMFD.
  const pb::file_entry* FindMappable(uint32_t id) const;

  // In the order of the images.
  const std::vector<pb::file_entry>& all() const { return files_; }

 private:
  void AddLegacy(DumpReader& reader);
  void AddLegacyWatches(DumpReader& reader);
  void Add(pb::file_entry file);

  std::vector<pb::file_entry> files_;
  std::unordered_map<FileKey, size_t> by_key_;
};

struct DescriptorTable {
  std::vector<uint32_t> pids;  // that have it, in the order of the tasks
  bool has_image = false;
  std::vector<pb::fdinfo_entry> descriptors;  // by number
};

class DescriptorTables {
 public:
  static DescriptorTables Read(DumpReader& reader, const std::vector<DumpedTask>& tasks);

  // Of a task that was given to Read().
  const DescriptorTable& Of(const DumpedTask& task) const { return tables_.at(FilesIdOf(task)); }

  // Which descriptors refer to a description; none where it is held otherwise.
  const std::vector<Holder>& HoldersOf(const pb::file_entry& file) const;

 private:
  std::map<uint32_t, DescriptorTable> tables_;
  std::unordered_map<FileKey, std::vector<Holder>> holders_;
};

// The id of the entry inside `file` is that of `file`; false where the member that its type names
// is not there.
bool HasBody(const pb::file_entry& file);

// The open(2) flags of a description, nothing for kinds without any.
std::optional<uint32_t> FlagsOf(const pb::file_entry& file);
// The file position of those kinds that have one.
std::optional<uint64_t> PositionOf(const pb::file_entry& file);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_OPEN_FILES_H_
