// The PAGEMAP_SCAN ioctl: ranges of pages by category.
#ifndef PROCESS_PAGEMAP_SCAN_H_
#define PROCESS_PAGEMAP_SCAN_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "process/remote_ptr.h"

namespace ckpt {

// PAGE_IS_* of include/uapi/linux/fs.h, Linux 6.7 (kGuard: 6.15).
enum class PageCategory : uint64_t {
  kFilePage = 1 << 2,  // of a file or of shared memory
  kPresentPage = 1 << 3,
  kSwappedPage = 1 << 4,  // markers in the page table too, of guard pages for example
  kZeroFrame = 1 << 5,
  kGuard = 1 << 8,
};

// Sets of PageCategory bits.
struct CategoryFilter {
  uint64_t none_of = 0;
  uint64_t any_of = 0;
};

// Calls `take` with each run of pages of `range` that the filter lets through, by address;
// one run of pages may come in several pieces. `pagemap_fd` is an open /proc/PID/pagemap, `name`
// what messages call it.
Result<> ScanPages(int pagemap_fd, std::string_view name, RemoteRange range, CategoryFilter filter,
                   const std::function<void(RemoteRange)>& take);

}  // namespace ckpt

#endif  // PROCESS_PAGEMAP_SCAN_H_
