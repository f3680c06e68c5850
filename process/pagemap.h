// Which pages of a process hold data, as ranges: PAGEMAP_SCAN, or the entries of /proc/PID/pagemap.
#ifndef PROCESS_PAGEMAP_H_
#define PROCESS_PAGEMAP_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "process/kernel_features.h"
#include "process/remote_ptr.h"

namespace ckpt {

enum class PageSelection {
  // Pages that exist in no file, in memory or swapped out: written anonymous memory and COWed pages
  // of private file mappings. Not the zero page, not clean file pages, not shared memory.
  kPrivate,
  // Every page that the process has in its page table, those of files and shared memory too, but
  // for the zero page. In a private mapping of no file these are the pages of kPrivate, found in a
  // quarter of the time (PAGEMAP_SCAN on 6.18: 5 ms a GB of 4 KB pages, kPrivate 18 ms: it looks at
  // the struct page of each), so take this one there. A page of shared memory that is swapped out,
  // or that only another process has touched, is in no page table of this one: for shared memory
  // ask its file (SEEK_DATA).
  kPopulated,
  // Guard pages (MADV_GUARD_INSTALL, 6.13): touching them is SIGSEGV, reading them from outside
  // fails. Never part of the other two. None where the kernel does not show them (before 6.15).
  kGuard,
};

// Makes it part of the last range of `found` where it follows on that.
void AppendRange(RemoteRange range, std::vector<RemoteRange>& found);

class PagemapReader {
 public:
  // Opens /proc/PID/pagemap. Whether the zero page can be told in the fallback depends on seeing
  // page frame numbers (CAP_SYS_ADMIN); where it cannot, it counts as data.
  static Result<PagemapReader> Open(pid_t pid, const KernelFeatures& features);

  // Appends the pages of `range` that `selection` takes to `found`, in order of address, neighbours
  // joined (also with the last range that was in `found` before). Holes cost no memory:
  // PAGEMAP_SCAN skips them, the fallback reads 512 KB of entries (256 MB of address space) at a
  // time: about 1 ns a page, so pass over mappings of which MappingUsage says that they hold
  // nothing.
  Result<> Scan(RemoteRange range, PageSelection selection, std::vector<RemoteRange>& found) const;

 private:
  // Page frames of zeros, 0 where unknown: the zero page, and the first of the huge zero page.
  struct ZeroFrames {
    uint64_t small = 0;
    uint64_t huge = 0;
  };

  PagemapReader(UniqueFd fd, std::string path, const KernelFeatures& features)
      : fd_(std::move(fd)), path_(std::move(path)), features_(features) {}

  Result<> ScanByIoctl(RemoteRange range, PageSelection selection,
                       std::vector<RemoteRange>& found) const;
  Result<> ScanEntries(RemoteRange range, PageSelection selection,
                       std::vector<RemoteRange>& found) const;
  bool Takes(uint64_t entry, PageSelection selection) const;
  bool IsZeroFrame(uint64_t frame) const;

  UniqueFd fd_;
  std::string path_;
  KernelFeatures features_;
  ZeroFrames zero_frames_;
};

}  // namespace ckpt

#endif  // PROCESS_PAGEMAP_H_
