// Which pages of a running process were written to since, told by the kernel: userfaultfd(2) in its
// asynchronous write-protect mode (Linux 6.7, Documentation/admin-guide/mm/pagemap.rst). A write to
// a tracked page costs the process a fault, once; nothing waits for anybody.
#ifndef PROCESS_WRITE_TRACKING_H_
#define PROCESS_WRITE_TRACKING_H_

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "process/remote_ptr.h"

namespace ckpt {

// For userfaultfd(2). Faults of the kernel for the process need nobody: they are answered at once,
// too.
inline constexpr int kUserfaultFlags = O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY;

class WriteTracking {
 public:
  // Whether the kernel has it, tried on this process.
  static bool IsPossible();
  // `userfault` is a new userfaultfd(2) that the process `pid` has made. kUnsupported: the kernel
  // has no asynchronous mode.
  static Result<WriteTracking> Create(pid_t pid, UniqueFd userfault);

  WriteTracking(WriteTracking&&) = default;
  WriteTracking& operator=(WriteTracking&&) = delete;
  // Ends the tracking of all mappings. So does the end of this process, whatever ends it.
  ~WriteTracking();

  // Tracks a whole mapping of private anonymous memory, and appends its pages that hold data to
  // `pages`: what is read of them from now on is true until they are written to. Writes of devices
  // into pages that were pinned before are not seen: let the threads stop once before anything is
  // read, and their own direct I/O has ended. After an error (the mapping is no longer there, say)
  // what was appended is tracked all the same.
  Result<> Track(RemoteRange mapping, std::vector<RemoteRange>& pages);

  // Appends the pages of tracked mappings that were not written to since; with the process stopped,
  // or the answer is old when it is there. A mapping that was moved or made anew is no longer
  // tracked, nor is any after execve(2).
  Result<> FindClean(std::vector<RemoteRange>& clean) const;

  const std::vector<RemoteRange>& mappings() const { return mappings_; }

 private:
  WriteTracking(UniqueFd userfault, std::string name)
      : userfault_(std::move(userfault)), name_(std::move(name)) {}

  UniqueFd userfault_;
  std::string name_;  // of pagemap
  std::vector<RemoteRange> mappings_;
};

}  // namespace ckpt

#endif  // PROCESS_WRITE_TRACKING_H_
