// Numbers of the kernel by their names: what proc(5) and the manual pages call them. Pure.
#ifndef IMGTOOL_EXPLORE_KERNEL_NAMES_H_
#define IMGTOOL_EXPLORE_KERNEL_NAMES_H_

#include <cstdint>
#include <string>

namespace ckpt {

// Flags are joined with "|", those without a name last as hex.

// Of open(2), with the access mode: "O_RDWR|O_APPEND".
std::string OpenFlagsText(uint32_t flags);
// "EPOLLIN|EPOLLET"; "0" for none.
std::string EpollEventsText(uint32_t events);
// "IN_MODIFY|IN_ONLYDIR".
std::string InotifyMaskText(uint32_t mask);
// "CLOCK_MONOTONIC", "clock 77".
std::string ClockText(uint32_t clock);
// Of CLONE_NEW*: "net", "mnt", as in /proc/PID/ns; "namespace" for anything else.
std::string NamespaceKindText(uint32_t clone_flag);
// Of a mask with signal 1 in bit 0: "USR2 RTMIN+3".
std::string SignalSetText(uint64_t mask);
// Of AF_NETLINK: "ROUTE", "protocol 99".
std::string NetlinkProtocolText(uint32_t protocol);
// Of mount(2): "ro,nosuid,relatime".
std::string MountFlagsText(uint32_t flags);
// "STREAM", "ESTABLISHED", "TCP": the spellings of the fields of that name ("type", "state",
// "proto"), else the number.
std::string SocketWord(const char* field, uint32_t value);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_KERNEL_NAMES_H_
