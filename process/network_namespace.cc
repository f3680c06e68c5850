#include "process/network_namespace.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <thread>

namespace ckpt {

Result<UniqueFd> NetworkNamespaceOf(int socket_fd) {
  UniqueFd fd(ioctl(socket_fd, SIOCGSKNS));
  const int saved = errno;
  if (!fd.valid()) return ErrnoError(saved, "ioctl({}, SIOCGSKNS)", socket_fd);
  return fd;
}

Result<bool> IsOwnNetworkNamespace(int namespace_fd) {
  struct stat own {};
  struct stat other {};
  const bool failed =
      stat("/proc/thread-self/ns/net", &own) != 0 || fstat(namespace_fd, &other) != 0;
  const int saved = errno;
  if (failed) return ErrnoError(saved, "stat of a network namespace");
  return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

Result<> RunInNetworkNamespace(int namespace_fd, const std::function<Result<>()>& body) {
  CKPT_TRY(const bool is_own, IsOwnNetworkNamespace(namespace_fd));
  if (is_own) return body();
  Result<> outcome = success();
  std::thread thread([&] {
    const int entered = setns(namespace_fd, CLONE_NEWNET);
    const int saved = errno;
    outcome = entered == 0 ? body()
                           : Result<>(ErrnoError(saved, "setns({}, CLONE_NEWNET)", namespace_fd));
  });
  thread.join();
  return outcome;
}

}  // namespace ckpt
