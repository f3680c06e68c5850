// Copies of a process's pages that were made while it ran. The kernel tells which of them are still
// true under the freeze, so that only the others are read there. For private anonymous memory, and
// where the kernel can tell (6.7); what has no copy is read as ever.
#ifndef DUMPER_EARLY_PAGES_H_
#define DUMPER_EARLY_PAGES_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "dumper/page_stage.h"
#include "process/kernel_features.h"
#include "process/mapping.h"
#include "process/remote_ptr.h"
#include "process/write_tracking.h"

namespace ckpt {

class EarlyPages {
 public:
  // Copies at most `limit_bytes`. The process is stopped twice for it, each time for as long as its
  // threads need to stop, and `stopped` is told; the first time a userfaultfd(2) is taken from it.
  // An error says why nothing was copied.
  static Result<EarlyPages> Copy(pid_t pid, const KernelFeatures& features, uint64_t limit_bytes,
                                 const std::function<void(std::chrono::microseconds)>& stopped);

  // Of the copies, and of the memory for them.
  uint64_t size_bytes() const { return size_bytes_; }
  uint64_t store_bytes() const { return store_.bytes().size(); }

  // With the process frozen: looks which copies are true.
  Result<> FindClean();
  // What a source is for the pages that a dump takes, ascending, in a file of just these: pages
  // without a copy are to be read, those whose copy is not true are read into its place.
  void Place(std::span<const RemoteRange> pages, PageStage::Source& source) const;
  // Takes from mappings of smaps what the tracking put there.
  void HideFrom(std::vector<Mapping>& mappings) const;

  // Ends the tracking: of a process that is not frozen, for it takes long. The copies stay.
  void EndTracking() { tracking_.reset(); }

 private:
  struct PageCopy {
    RemoteRange range;
    std::byte* bytes;
  };
  class Placing;

  EarlyPages(WriteTracking tracking, PageBuffers store)
      : tracking_(std::move(tracking)), store_(std::move(store)) {}
  Result<> ReadCopies(pid_t pid, std::span<const RemoteRange> pages);

  std::optional<WriteTracking> tracking_;
  PageBuffers store_;
  uint64_t size_bytes_ = 0;         // of the store that copies fill
  std::vector<PageCopy> copies_;    // ascending
  std::vector<RemoteRange> clean_;  // ascending
};

}  // namespace ckpt

#endif  // DUMPER_EARLY_PAGES_H_
