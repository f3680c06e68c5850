// /proc/PID/fdinfo/FD: position, flags and mount of an open file, and lines of its kind.
#ifndef PROCESS_FDINFO_H_
#define PROCESS_FDINFO_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

struct FdInfo {
  uint64_t position_bytes = 0;
  // O_* as open(2) takes them, O_CLOEXEC included, which belongs to the descriptor. (fcntl adds
  // O_LARGEFILE on x86-64, this does not differ.)
  uint32_t flags = 0;
  int32_t mnt_id = -1;            // since 3.15
  std::optional<uint64_t> inode;  // since 5.14
  // Every other line as it stands: "eventfd-count: 1", "tfd: ...", "inotify wd:1 ...", "lock: ...".
  std::vector<std::string> details;
};

// kBadFormat names the line; pos and flags must be there.
Result<FdInfo> ParseFdInfo(std::string_view text);

Result<FdInfo> ReadFdInfo(pid_t pid, int fd);
// The same where /proc/PID/fdinfo is open already, for many of one process.
Result<FdInfo> ReadFdInfoIn(int fdinfo_directory, int fd);
// The same where the file is open already; it may be read again and again.
Result<FdInfo> ReadOpenFdInfo(int fdinfo_file, int fd);

// The open descriptors of a process, ascending, from /proc/PID/fd.
Result<std::vector<int>> ListFds(pid_t pid);

}  // namespace ckpt

#endif  // PROCESS_FDINFO_H_
