#include "imgtool/explore/kernel_names.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mount.h>

#include <optional>
#include <string_view>

#include "base/result.h"
#include "formats/spelling.h"
#include "imgtool/explore/dumped_tasks.h"

namespace ckpt {
namespace {

constexpr NamedValue kEpollEvents[] = {
    {"EPOLLIN", EPOLLIN},           {"EPOLLPRI", EPOLLPRI},
    {"EPOLLOUT", EPOLLOUT},         {"EPOLLERR", EPOLLERR},
    {"EPOLLHUP", EPOLLHUP},         {"EPOLLRDNORM", EPOLLRDNORM},
    {"EPOLLRDBAND", EPOLLRDBAND},   {"EPOLLWRNORM", EPOLLWRNORM},
    {"EPOLLWRBAND", EPOLLWRBAND},   {"EPOLLMSG", EPOLLMSG},
    {"EPOLLRDHUP", EPOLLRDHUP},     {"EPOLLEXCLUSIVE", EPOLLEXCLUSIVE},
    {"EPOLLWAKEUP", EPOLLWAKEUP},   {"EPOLLONESHOT", EPOLLONESHOT},
    {"EPOLLET", uint32_t{EPOLLET}},
};

constexpr NamedValue kInotifyEvents[] = {
    {"IN_ACCESS", IN_ACCESS},
    {"IN_MODIFY", IN_MODIFY},
    {"IN_ATTRIB", IN_ATTRIB},
    {"IN_CLOSE_WRITE", IN_CLOSE_WRITE},
    {"IN_CLOSE_NOWRITE", IN_CLOSE_NOWRITE},
    {"IN_OPEN", IN_OPEN},
    {"IN_MOVED_FROM", IN_MOVED_FROM},
    {"IN_MOVED_TO", IN_MOVED_TO},
    {"IN_CREATE", IN_CREATE},
    {"IN_DELETE", IN_DELETE},
    {"IN_DELETE_SELF", IN_DELETE_SELF},
    {"IN_MOVE_SELF", IN_MOVE_SELF},
    {"IN_ONLYDIR", IN_ONLYDIR},
    {"IN_DONT_FOLLOW", IN_DONT_FOLLOW},
    {"IN_EXCL_UNLINK", IN_EXCL_UNLINK},
    {"IN_ONESHOT", uint32_t{IN_ONESHOT}},
};

constexpr NamedValue kMountFlags[] = {
    {"ro", MS_RDONLY},         {"nosuid", MS_NOSUID},
    {"nodev", MS_NODEV},       {"noexec", MS_NOEXEC},
    {"sync", MS_SYNCHRONOUS},  {"mand", MS_MANDLOCK},
    {"dirsync", MS_DIRSYNC},   {"nosymfollow", 256 /* MS_NOSYMFOLLOW, 5.10 */},
    {"noatime", MS_NOATIME},   {"nodiratime", MS_NODIRATIME},
    {"relatime", MS_RELATIME}, {"strictatime", MS_STRICTATIME},
    {"lazytime", MS_LAZYTIME},
};

constexpr NamedValue kClocks[] = {
    {"CLOCK_REALTIME", 0},       {"CLOCK_MONOTONIC", 1},      {"CLOCK_BOOTTIME", 7},
    {"CLOCK_REALTIME_ALARM", 8}, {"CLOCK_BOOTTIME_ALARM", 9},
};

constexpr NamedValue kNamespaces[] = {
    {"time", CLONE_NEWTIME}, {"mnt", CLONE_NEWNS},  {"cgroup", CLONE_NEWCGROUP},
    {"uts", CLONE_NEWUTS},   {"ipc", CLONE_NEWIPC}, {"user", CLONE_NEWUSER},
    {"pid", CLONE_NEWPID},   {"net", CLONE_NEWNET},
};

constexpr NamedValue kNetlinkProtocols[] = {
    {"ROUTE", NETLINK_ROUTE},         {"USERSOCK", NETLINK_USERSOCK},
    {"SOCK_DIAG", NETLINK_SOCK_DIAG}, {"NFLOG", NETLINK_NFLOG},
    {"XFRM", NETLINK_XFRM},           {"SELINUX", NETLINK_SELINUX},
    {"AUDIT", NETLINK_AUDIT},         {"NETFILTER", NETLINK_NETFILTER},
    {"CONNECTOR", NETLINK_CONNECTOR}, {"KOBJECT_UEVENT", NETLINK_KOBJECT_UEVENT},
    {"GENERIC", NETLINK_GENERIC},
};

std::string Joined(NameTable names, uint64_t value, std::string_view separator) {
  std::string text;
  for (const NamedValue& name : names) {
    if (name.value == 0 || (value & name.value) != name.value) continue;
    value &= ~name.value;
    text += fmt::format("{}{}", text.empty() ? "" : separator, name.name);
  }
  if (value != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : separator, value);
  return text;
}

std::string NameOr(NameTable names, uint64_t value, std::string_view what) {
  const auto name = FindName(names, value);
  return name ? std::string(*name) : fmt::format("{} {}", what, value);
}

}  // namespace

std::string OpenFlagsText(uint32_t flags) {
  const auto names = FindFlagNames("rfile.flags");
  CKPT_CHECK(names.has_value());
  const uint32_t mode = flags & O_ACCMODE;
  const std::string rest = Joined(*names, flags & ~uint32_t{O_ACCMODE}, "|");
  const char* access = mode == O_RDONLY ? "O_RDONLY" : mode == O_WRONLY ? "O_WRONLY" : "O_RDWR";
  return fmt::format("{}{}{}", mode == O_ACCMODE ? "O_ACCMODE" : access, rest.empty() ? "" : "|",
                     rest);
}

std::string EpollEventsText(uint32_t events) {
  return events == 0 ? "0" : Joined(kEpollEvents, events, "|");
}

std::string InotifyMaskText(uint32_t mask) { return Joined(kInotifyEvents, mask, "|"); }

std::string ClockText(uint32_t clock) { return NameOr(kClocks, clock, "clock"); }

std::string NamespaceKindText(uint32_t clone_flag) {
  return std::string(FindName(kNamespaces, clone_flag).value_or("namespace"));
}

std::string SignalSetText(uint64_t mask) {
  std::string text;
  for (uint64_t i = 0; i < 64; ++i) {
    if ((mask >> i & 1) == 0) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " ", SignalText(i + 1));
  }
  return text;
}

std::string NetlinkProtocolText(uint32_t protocol) {
  return NameOr(kNetlinkProtocols, protocol, "protocol");
}

std::string MountFlagsText(uint32_t flags) {
  const std::string rest = Joined(kMountFlags, flags & ~uint32_t{MS_RDONLY}, ",");
  return fmt::format("{}{}{}", (flags & MS_RDONLY) != 0 ? "ro" : "rw", rest.empty() ? "" : ",",
                     rest);
}

std::string SocketWord(const char* field, uint32_t value) {
  const auto names = FindDictionary("sk", field);
  CKPT_CHECK(names.has_value());
  const auto name = FindName(*names, value);
  return name ? std::string(*name) : fmt::to_string(value);
}

}  // namespace ckpt
