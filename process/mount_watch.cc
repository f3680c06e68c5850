#include "process/mount_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <cerrno>

namespace ckpt {

Result<MountWatch> MountWatch::Open(pid_t pid) {
  CKPT_TRY(UniqueFd mountinfo, OpenFile(fmt::format("/proc/{}/mountinfo", pid), O_RDONLY));
  return MountWatch(std::move(mountinfo));
}

Result<bool> MountWatch::HaveChanged() {
  pollfd polled = {mountinfo_.get(), POLLPRI, 0};
  if (poll(&polled, 1, 0) < 0) return ErrnoError(errno, "poll(mountinfo)");
  return (polled.revents & POLLPRI) != 0;
}

}  // namespace ckpt
