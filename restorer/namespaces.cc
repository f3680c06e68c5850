#include "restorer/namespaces.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/file.h"
#include "restorer/mount_tree.h"
#include "restorer/net_addresses.h"

namespace ckpt {

namespace {

constexpr size_t kSysctlBytes = 4096;

Result<> SetNames(const NodeNamesPlan& names) {
  if (sethostname(names.host.data(), names.host.size()) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "sethostname(\"{}\")", names.host);
  }
  if (setdomainname(names.domain.data(), names.domain.size()) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "setdomainname(\"{}\")", names.domain);
  }
  return success();
}

Result<> BringLoopbackUp() {
  const UniqueFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int saved = errno;
  if (!socket_fd.valid()) return ErrnoError(saved, "socket(AF_INET, SOCK_DGRAM)");
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof("lo"));
  request.ifr_flags = IFF_UP;
  if (ioctl(socket_fd.get(), SIOCSIFFLAGS, &request) == 0) return success();
  const int ioctl_saved = errno;
  return ErrnoError(ioctl_saved, "ioctl(SIOCSIFFLAGS) of lo");
}

std::string_view WithoutNewline(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// What is so already is left: some sysctls change others when they are written.
Result<> SetSysctl(const SysctlPlan& sysctl, int directory) {
  const UniqueFd file(openat(directory, sysctl.name.c_str(), O_RDWR | O_CLOEXEC));
  const int saved = errno;
  if (!file.valid()) return ErrnoError(saved, "/proc/sys/{}", sysctl.name);
  char text[kSysctlBytes];
  const ssize_t got = pread(file.get(), text, sizeof(text), 0);
  const std::string_view value = WithoutNewline(sysctl.value);
  if (got >= 0 && WithoutNewline({text, static_cast<size_t>(got)}) == value) return success();
  const ssize_t put = pwrite(file.get(), value.data(), value.size(), 0);
  const int write_saved = errno;
  if (put < 0) return ErrnoError(write_saved, "/proc/sys/{}: write of {}", sysctl.name, value);
  return success();
}

Result<> SetSysctls(const std::vector<SysctlPlan>& sysctls, Log& log) {
  if (sysctls.empty()) return success();
  CKPT_TRY(const UniqueFd directory, OpenFile("/proc/sys", O_PATH | O_DIRECTORY));
  for (const SysctlPlan& sysctl : sysctls) {
    const Result<> set = SetSysctl(sysctl, directory.get());
    if (set.has_value()) continue;
    if (sysctl.must_be) return set.error();
    log.Warning("{}", set.error().message);
  }
  return success();
}

}  // namespace

Result<> FillNamespaces(const NamespacesPlan& plan, const std::string& root,
                        const std::string& images_dir, Log& log) {
  if (plan.names) CKPT_TRY(SetNames(*plan.names));
  if (plan.loopback_is_up) CKPT_TRY(BringLoopbackUp());
  CKPT_TRY(AddAddresses(plan.addresses));
  CKPT_TRY(SetSysctls(plan.sysctls, log));
  if (plan.mounts) CKPT_TRY(MakeMountTree(*plan.mounts, root, images_dir));
  return success();
}

}  // namespace ckpt
