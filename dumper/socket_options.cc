#include "dumper/socket_options.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace ckpt {

namespace {

// asm-generic/socket.h; libraries of before these kernels do not have them.
constexpr int kSoBufLock = 72;    // 5.15
constexpr int kSoPassPidfd = 76;  // 6.5

using Entry = pb::sk_opts_entry;

struct FlagOption {
  int option;
  void (Entry::*set)(bool);
};
constexpr std::array kFlags = {
    FlagOption{SO_REUSEADDR, &Entry::set_reuseaddr},
    FlagOption{SO_PASSCRED, &Entry::set_so_passcred},
    FlagOption{SO_PASSSEC, &Entry::set_so_passsec},
    FlagOption{SO_DONTROUTE, &Entry::set_so_dontroute},
    FlagOption{SO_NO_CHECK, &Entry::set_so_no_check},
    FlagOption{SO_REUSEPORT, &Entry::set_so_reuseport},
    FlagOption{SO_BROADCAST, &Entry::set_so_broadcast},
    FlagOption{SO_KEEPALIVE, &Entry::set_so_keepalive},
};

struct NumberOption {
  int option;
  void (Entry::*set)(uint32_t);
};
constexpr std::array kNumbers = {
    NumberOption{SO_SNDBUF, &Entry::set_so_sndbuf},
    NumberOption{SO_RCVBUF, &Entry::set_so_rcvbuf},
    NumberOption{SO_PRIORITY, &Entry::set_so_priority},
    NumberOption{SO_RCVLOWAT, &Entry::set_so_rcvlowat},
    NumberOption{SO_OOBINLINE, &Entry::set_so_oobinline},
    NumberOption{kSoBufLock, &Entry::set_so_buf_lock},
};

// Options that a socket normally does not have set.
struct PlacelessOption {
  int option;
  int usual;
  std::string_view name;
};
constexpr std::array kPlaceless = {
    PlacelessOption{SO_PEEK_OFF, -1, "SO_PEEK_OFF"},
    PlacelessOption{kSoPassPidfd, 0, "SO_PASSPIDFD"},
    PlacelessOption{SO_TIMESTAMP, 0, "SO_TIMESTAMP"},
    PlacelessOption{SO_TIMESTAMPNS, 0, "SO_TIMESTAMPNS"},
    PlacelessOption{SO_TIMESTAMPING, 0, "SO_TIMESTAMPING"},
};

bool HasFilter(int fd) {
  socklen_t instruction_count = 0;
  return getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, nullptr, &instruction_count) == 0 &&
         instruction_count > 0;
}

Result<timeval> ReadTimeout(int fd, int option) {
  timeval timeout{};
  socklen_t size_bytes = sizeof(timeout);
  if (getsockopt(fd, SOL_SOCKET, option, &timeout, &size_bytes) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "getsockopt({})", option);
  }
  return timeout;
}

}  // namespace

std::optional<int> FindSocketOption(int fd, int option) {
  int value = 0;
  socklen_t size_bytes = sizeof(value);
  if (getsockopt(fd, SOL_SOCKET, option, &value, &size_bytes) != 0) return std::nullopt;
  return value;
}

std::optional<std::string> ReasonToRefuseOptions(int fd) {
  for (const PlacelessOption& placeless : kPlaceless) {
    if (FindSocketOption(fd, placeless.option).value_or(placeless.usual) != placeless.usual) {
      return fmt::format("{} is set, for which the format has no place", placeless.name);
    }
  }
  if (HasFilter(fd)) return "it has a filter (SO_ATTACH_FILTER), not supported yet";
  return std::nullopt;
}

Result<pb::sk_opts_entry> ReadSocketOptions(int fd) {
  pb::sk_opts_entry entry;
  for (const FlagOption& flag : kFlags) {
    if (const auto value = FindSocketOption(fd, flag.option)) (entry.*flag.set)(*value != 0);
  }
  for (const NumberOption& number : kNumbers) {
    if (const auto value = FindSocketOption(fd, number.option)) {
      (entry.*number.set)(static_cast<uint32_t>(*value));
    }
  }
  const int mark = FindSocketOption(fd, SO_MARK).value_or(0);
  if (mark != 0) entry.set_so_mark(static_cast<uint32_t>(mark));
  CKPT_TRY(const timeval sending, ReadTimeout(fd, SO_SNDTIMEO));
  entry.set_so_snd_tmo_sec(static_cast<uint64_t>(sending.tv_sec));
  entry.set_so_snd_tmo_usec(static_cast<uint64_t>(sending.tv_usec));
  CKPT_TRY(const timeval receiving, ReadTimeout(fd, SO_RCVTIMEO));
  entry.set_so_rcv_tmo_sec(static_cast<uint64_t>(receiving.tv_sec));
  entry.set_so_rcv_tmo_usec(static_cast<uint64_t>(receiving.tv_usec));
  linger lingering{};
  socklen_t size_bytes = sizeof(lingering);
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &lingering, &size_bytes) == 0 &&
      lingering.l_onoff != 0) {
    entry.set_so_linger(static_cast<uint32_t>(lingering.l_linger));
  }
  return entry;
}

}  // namespace ckpt
