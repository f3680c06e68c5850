#include "process/remote_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace ckpt {

Result<RemoteMemory> RemoteMemory::Open(pid_t pid) {
  CKPT_TRY(UniqueFd mem, OpenFile(fmt::format("/proc/{}/mem", pid), O_RDWR));
  return RemoteMemory(pid, std::move(mem));
}

Result<> RemoteMemory::Read(RemotePtr from, std::span<std::byte> into) const {
  while (!into.empty()) {
    const ssize_t got =
        pread(mem_.get(), into.data(), into.size(), static_cast<off_t>(from.address()));
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got <= 0) {
      return ErrnoError(got == 0 ? ESRCH : saved, "read of {} bytes at {:#x} of process {}",
                        into.size(), from.address(), pid_);
    }
    from = from + static_cast<uint64_t>(got);
    into = into.subspan(static_cast<size_t>(got));
  }
  return success();
}

Result<> RemoteMemory::Write(RemotePtr to, Bytes bytes) const {
  while (!bytes.empty()) {
    const ssize_t put =
        pwrite(mem_.get(), bytes.data(), bytes.size(), static_cast<off_t>(to.address()));
    const int saved = errno;
    if (put < 0 && saved == EINTR) continue;
    if (put <= 0) {
      return ErrnoError(put == 0 ? ESRCH : saved, "write of {} bytes at {:#x} of process {}",
                        bytes.size(), to.address(), pid_);
    }
    to = to + static_cast<uint64_t>(put);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return success();
}

Result<> RemoteMemory::ReadRanges(std::span<const RemoteRange> ranges,
                                  std::span<std::byte> into) const {
  std::vector<iovec> remote;
  while (!ranges.empty()) {
    const auto batch = ranges.first(std::min<size_t>(ranges.size(), IOV_MAX));
    remote.clear();
    size_t wanted_bytes = 0;
    for (const RemoteRange& range : batch) {
      remote.push_back({reinterpret_cast<void*>(range.start), range.size_bytes()});
      wanted_bytes += range.size_bytes();
    }
    const iovec local{into.data(), wanted_bytes};
    const ssize_t got = process_vm_readv(pid_, &local, 1, remote.data(), remote.size(), 0);
    if (got < 0 || static_cast<size_t>(got) != wanted_bytes) {
      for (const RemoteRange& range : batch) {
        CKPT_TRY(Read(RemotePtr(range.start), into.first(range.size_bytes())));
        into = into.subspan(range.size_bytes());
      }
    } else {
      into = into.subspan(wanted_bytes);
    }
    ranges = ranges.subspan(batch.size());
  }
  return success();
}

}  // namespace ckpt
