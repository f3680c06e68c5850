// Whether the mounts of a namespace have changed since one looked.
#ifndef PROCESS_MOUNT_WATCH_H_
#define PROCESS_MOUNT_WATCH_H_

#include <sys/types.h>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

// poll(2) on an open mountinfo file reports POLLPRI when a mount was added, removed or remounted
// since the file was opened (mounts_poll in fs/proc_namespace.c). A change of propagation alone is
// not reported.
class MountWatch {
 public:
  static Result<MountWatch> Open(pid_t pid);

  // Since Open() or the last call.
  Result<bool> HaveChanged();

 private:
  explicit MountWatch(UniqueFd mountinfo) : mountinfo_(std::move(mountinfo)) {}

  UniqueFd mountinfo_;
};

}  // namespace ckpt

#endif  // PROCESS_MOUNT_WATCH_H_
