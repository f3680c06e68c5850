#include "process/namespace_mounts.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/file.h"
#include "process/joined_namespaces.h"

namespace ckpt {

namespace {

Result<std::string> ReadOwnMountinfo(int proc) {
  const UniqueFd file(openat(proc, "thread-self/mountinfo", O_RDONLY | O_CLOEXEC));
  const int saved = errno;
  if (!file.valid()) return ErrnoError(saved, "thread-self/mountinfo");
  return ReadWholeFd(file.get(), "thread-self/mountinfo");
}

}  // namespace

Result<std::vector<Mount>> ReadNamespaceMounts(pid_t pid, const KernelFeatures& features) {
  if (features.statmount) {
    auto mounts = QueryMounts(pid);
    if (mounts.has_value() && mounts.value()) return *std::move(mounts).value();
  }
  // Opened here: in the namespace there may be none.
  CKPT_TRY(const UniqueFd proc, OpenFile("/proc", O_PATH | O_DIRECTORY));
  std::string text;
  CKPT_TRY(RunInNamespacesOf(pid, CLONE_NEWNS, [&]() -> Result<> {
    CKPT_TRY(text, ReadOwnMountinfo(proc.get()));
    return success();
  }));
  return ParseMountinfo(text);
}

}  // namespace ckpt
