// Everything that a plan needs open, opened by the restorer itself and inherited by the processes
// that it makes: files, pipes with their content, files that tell of events, shared anonymous
// memory, and pages images.
#ifndef RESTORER_OPENED_FILES_H_
#define RESTORER_OPENED_FILES_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "formats/pages_image.h"
#include "restorer/restore_plan.h"

namespace ckpt {

class OpenedFiles {
 public:
  // Makes room for what Open() will open, before another process shares our descriptors.
  static void MakeRoom(const RestorePlan& plan);

  // Paths lead from the directory `root`, or from the restorer's own root where it is empty. All
  // descriptors are above those that the plan's tasks will have. The error tells everything that
  // is missing or not as the dump says, a line each. Nothing outside of this process changes
  // for good: files that had been deleted have a name meanwhile.
  // `pages_images` are those that the plan's pages name. Sockets are made in the network namespace
  // that `network_namespace` is a descriptor of, or in ours where it is -1. `root` lies in the
  // mount namespace of the process `mounts_of`, or in ours where it is 0.
  static Result<OpenedFiles> Open(const RestorePlan& plan, const std::string& root,
                                  std::span<const SharedPages> pages_images,
                                  int network_namespace = -1, pid_t mounts_of = 0);

  // The description that descriptors of the file share.
  int Description(uint32_t file_id) const { return descriptions_.at(file_id).get(); }
  // For a mapping of the file; O_RDONLY or O_RDWR.
  int Mapped(uint32_t file_id, int access) const { return mapped_.at({file_id, access}).get(); }
  // For fchdir(2) into it.
  int Directory(uint32_t file_id) const { return directories_.at(file_id).get(); }
  // For mappings of shared anonymous memory.
  int SharedMemory(uint64_t id) const { return shared_memory_.at(id).get(); }
  int Pages(size_t source) const { return pages_[source].get(); }  // of plain ones only
  const PagesImage& Image(size_t source) const { return *images_[source]; }
  // Which of them are compressed, by source.
  const std::vector<bool>& compressed() const { return compressed_; }

  // One more than the highest descriptor that a task will have; all ours are at least that.
  int floor() const { return floor_; }

 private:
  friend class FileOpener;
  OpenedFiles() = default;

  int floor_ = 0;
  std::map<uint32_t, UniqueFd> descriptions_;
  std::map<std::pair<uint32_t, int>, UniqueFd> mapped_;
  std::map<uint32_t, UniqueFd> directories_;
  std::map<uint64_t, UniqueFd> shared_memory_;
  std::vector<UniqueFd> pages_;  // by source; none of a compressed image
  std::vector<SharedPages> images_;
  std::vector<bool> compressed_;
};

// Lets this process open as many files as its hard limit allows, for as long as this lives.
class RaisedDescriptorLimit {
 public:
  RaisedDescriptorLimit();
  RaisedDescriptorLimit(const RaisedDescriptorLimit&) = delete;
  RaisedDescriptorLimit& operator=(const RaisedDescriptorLimit&) = delete;
  ~RaisedDescriptorLimit();

  // The soft limit of before.
  uint64_t before() const { return soft_; }

 private:
  uint64_t soft_ = 0;
};

}  // namespace ckpt

#endif  // RESTORER_OPENED_FILES_H_
