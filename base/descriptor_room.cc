#include "base/descriptor_room.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace ckpt {

void MakeRoomForDescriptors(uint64_t count) {
  rlimit limit{};
  if (count == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto last = static_cast<int>(std::min<uint64_t>(count, limit.rlim_cur)) - 1;
  // Whatever is open; the duplicate takes the number, or the next that is free.
  for (int fd = 0; fd <= last; ++fd) {
    const int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, last);
    if (duplicate < 0 && fcntl(fd, F_GETFD) < 0) continue;
    if (duplicate >= 0) close(duplicate);
    return;
  }
}

}  // namespace ckpt
