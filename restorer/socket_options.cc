#include "restorer/socket_options.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>

namespace ckpt {

namespace {

// asm-generic/socket.h, 5.15: which buffers' sizes were chosen, and do not follow the traffic.
constexpr int kSoBufLock = 72;

constexpr int kAmpleBufferBytes = 1 << 30;

using Entry = pb::sk_opts_entry;

struct FlagOption {
  std::string_view name;
  int option;
  bool (Entry::*has)() const;
  bool (Entry::*value)() const;
};
constexpr std::array kFlags = {
    FlagOption{"SO_REUSEADDR", SO_REUSEADDR, &Entry::has_reuseaddr, &Entry::reuseaddr},
    FlagOption{"SO_PASSCRED", SO_PASSCRED, &Entry::has_so_passcred, &Entry::so_passcred},
    FlagOption{"SO_PASSSEC", SO_PASSSEC, &Entry::has_so_passsec, &Entry::so_passsec},
    FlagOption{"SO_DONTROUTE", SO_DONTROUTE, &Entry::has_so_dontroute, &Entry::so_dontroute},
    FlagOption{"SO_NO_CHECK", SO_NO_CHECK, &Entry::has_so_no_check, &Entry::so_no_check},
    FlagOption{"SO_REUSEPORT", SO_REUSEPORT, &Entry::has_so_reuseport, &Entry::so_reuseport},
    FlagOption{"SO_BROADCAST", SO_BROADCAST, &Entry::has_so_broadcast, &Entry::so_broadcast},
    FlagOption{"SO_KEEPALIVE", SO_KEEPALIVE, &Entry::has_so_keepalive, &Entry::so_keepalive},
};

struct NumberOption {
  std::string_view name;
  int option;
  bool (Entry::*has)() const;
  uint32_t (Entry::*value)() const;
};
// The lock last: setting a size sets it.
constexpr std::array kNumbers = {
    NumberOption{"SO_PRIORITY", SO_PRIORITY, &Entry::has_so_priority, &Entry::so_priority},
    NumberOption{"SO_RCVLOWAT", SO_RCVLOWAT, &Entry::has_so_rcvlowat, &Entry::so_rcvlowat},
    NumberOption{"SO_MARK", SO_MARK, &Entry::has_so_mark, &Entry::so_mark},
    NumberOption{"SO_OOBINLINE", SO_OOBINLINE, &Entry::has_so_oobinline, &Entry::so_oobinline},
    NumberOption{"SO_BUF_LOCK", kSoBufLock, &Entry::has_so_buf_lock, &Entry::so_buf_lock},
};

template <typename T>
Result<> Set(int fd, int option, const T& value, std::string_view name, std::string_view place) {
  if (setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "{}: setsockopt({})", place, name);
}

Result<> SetNumber(int fd, int option, int value, std::string_view name, std::string_view place) {
  int present = 0;
  socklen_t size_bytes = sizeof(present);
  const bool is_known = getsockopt(fd, SOL_SOCKET, option, &present, &size_bytes) == 0;
  if (present == value) return success();  // also one that the kernel does not know and is not set
  if (!is_known && option == kSoBufLock) return success();
  return Set(fd, option, value, name, place);
}

// The kernel takes half of what it tells.
Result<> SetBuffer(int fd, uint32_t told_bytes, int tell, int force, std::string_view name,
                   std::string_view place) {
  int present_bytes = 0;
  socklen_t size_bytes = sizeof(present_bytes);
  getsockopt(fd, SOL_SOCKET, tell, &present_bytes, &size_bytes);
  const auto wanted_bytes = static_cast<int>(told_bytes);
  if (present_bytes == wanted_bytes) return success();
  return Set(fd, force, wanted_bytes / 2, name, place);
}

Result<> SetTimeout(int fd, int option, uint64_t seconds, uint64_t microseconds,
                    std::string_view name, std::string_view place) {
  if (seconds == 0 && microseconds == 0) return success();
  const timeval timeout{.tv_sec = static_cast<time_t>(seconds),
                        .tv_usec = static_cast<suseconds_t>(microseconds)};
  return Set(fd, option, timeout, name, place);
}

}  // namespace

void LiftBufferLimits(int fd) {
  for (const int option : {SO_SNDBUFFORCE, SO_RCVBUFFORCE}) {
    setsockopt(fd, SOL_SOCKET, option, &kAmpleBufferBytes, sizeof(kAmpleBufferBytes));
  }
}

Result<> SetSocketOptions(int fd, const pb::sk_opts_entry& options, std::string_view place) {
  CKPT_TRY(SetBuffer(fd, options.so_sndbuf(), SO_SNDBUF, SO_SNDBUFFORCE, "SO_SNDBUFFORCE", place));
  CKPT_TRY(SetBuffer(fd, options.so_rcvbuf(), SO_RCVBUF, SO_RCVBUFFORCE, "SO_RCVBUFFORCE", place));
  for (const FlagOption& flag : kFlags) {
    if (!(options.*flag.has)()) continue;
    CKPT_TRY(SetNumber(fd, flag.option, (options.*flag.value)() ? 1 : 0, flag.name, place));
  }
  for (const NumberOption& number : kNumbers) {
    if (!(options.*number.has)()) continue;
    CKPT_TRY(SetNumber(fd, number.option, static_cast<int>((options.*number.value)()), number.name,
                       place));
  }
  CKPT_TRY(SetTimeout(fd, SO_SNDTIMEO, options.so_snd_tmo_sec(), options.so_snd_tmo_usec(),
                      "SO_SNDTIMEO", place));
  CKPT_TRY(SetTimeout(fd, SO_RCVTIMEO, options.so_rcv_tmo_sec(), options.so_rcv_tmo_usec(),
                      "SO_RCVTIMEO", place));
  if (!options.has_so_linger()) return success();
  const linger lingering{.l_onoff = 1, .l_linger = static_cast<int>(options.so_linger())};
  return Set(fd, SO_LINGER, lingering, "SO_LINGER", place);
}

}  // namespace ckpt
