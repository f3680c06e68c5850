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

// Of at most IOV_MAX ranges; false where the kernel does not give all of it that way.
bool RemoteMemory::ReadAtOnce(std::span<const iovec> local,
                              std::span<const RemoteRange> ranges) const {
  std::vector<iovec> remote;
  size_t wanted_bytes = 0;
  for (const RemoteRange& range : ranges) {
    remote.push_back({reinterpret_cast<void*>(range.start), range.size_bytes()});
    wanted_bytes += range.size_bytes();
  }
  const ssize_t got =
      process_vm_readv(pid_, local.data(), local.size(), remote.data(), remote.size(), 0);
  return got >= 0 && static_cast<size_t>(got) == wanted_bytes;
}

Result<> RemoteMemory::ReadRanges(std::span<const RemoteRange> ranges,
                                  std::span<std::byte> into) const {
  while (!ranges.empty()) {
    const auto batch = ranges.first(std::min<size_t>(ranges.size(), IOV_MAX));
    size_t wanted_bytes = 0;
    for (const RemoteRange& range : batch) wanted_bytes += range.size_bytes();
    const iovec local{into.data(), wanted_bytes};
    if (ReadAtOnce(std::span(&local, 1), batch)) {
      into = into.subspan(wanted_bytes);
    } else {
      for (const RemoteRange& range : batch) {
        CKPT_TRY(Read(RemotePtr(range.start), into.first(range.size_bytes())));
        into = into.subspan(range.size_bytes());
      }
    }
    ranges = ranges.subspan(batch.size());
  }
  return success();
}

Result<> RemoteMemory::ReadRanges(std::span<const RemoteRange> ranges,
                                  std::span<const std::span<std::byte>> places) const {
  while (!ranges.empty()) {
    const size_t count = std::min<size_t>(ranges.size(), IOV_MAX);
    std::vector<iovec> local;
    for (const std::span<std::byte>& place : places.first(count)) {
      local.push_back({place.data(), place.size()});
    }
    if (!ReadAtOnce(local, ranges.first(count))) {
      for (size_t i = 0; i < count; ++i) {
        CKPT_TRY(Read(RemotePtr(ranges[i].start), places[i]));
      }
    }
    ranges = ranges.subspan(count);
    places = places.subspan(count);
  }
  return success();
}

}  // namespace ckpt
