#include "process/write_tracking.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "process/pagemap.h"
#include "process/pagemap_scan.h"

namespace ckpt {

namespace {

// include/uapi/linux/userfaultfd.h of 6.7; older headers do not have them all.
constexpr uint64_t kFeatureWriteProtect = 1 << 0;   // UFFD_FEATURE_PAGEFAULT_FLAG_WP
constexpr uint64_t kFeatureUnpopulated = 1 << 13;   // UFFD_FEATURE_WP_UNPOPULATED
constexpr uint64_t kFeatureAsynchronous = 1 << 15;  // UFFD_FEATURE_WP_ASYNC

// What is done at once while the process may fault.
constexpr uint64_t kPieceBytes = uint64_t{16} << 20;

constexpr uint64_t Bit(PageCategory category) { return static_cast<uint64_t>(category); }

constexpr CategoryFilter kThere = {
    .none_of = Bit(PageCategory::kZeroFrame),
    .any_of = Bit(PageCategory::kPresentPage) | Bit(PageCategory::kSwappedPage)};
constexpr CategoryFilter kClean = {.none_of = Bit(PageCategory::kWritten),
                                   .any_of = kThere.any_of,
                                   .all_of = Bit(PageCategory::kTracked)};

Result<> Register(int userfault, RemoteRange mapping) {
  uffdio_register wanted = {};
  wanted.range = {mapping.start, mapping.size_bytes()};
  wanted.mode = UFFDIO_REGISTER_MODE_WP;
  if (ioctl(userfault, UFFDIO_REGISTER, &wanted) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "ioctl(UFFDIO_REGISTER, {:#x}-{:#x})", mapping.start, mapping.end);
}

// Piece by piece, for the process may fault between them.
Result<> Unprotect(int userfault, RemoteRange mapping) {
  for (uint64_t start = mapping.start; start < mapping.end;) {
    // No piece ends within a huge page, which would be split.
    const uint64_t end = std::min((start / kPieceBytes + 1) * kPieceBytes, mapping.end);
    uffdio_writeprotect piece = {};
    piece.range = {start, end - start};
    if (ioctl(userfault, UFFDIO_WRITEPROTECT, &piece) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "ioctl(UFFDIO_WRITEPROTECT, {:#x})", start);
    }
    start = end;
  }
  return success();
}

}  // namespace

Result<WriteTracking> WriteTracking::Create(pid_t pid, UniqueFd userfault) {
  CKPT_TRY(const std::string link, ReadLink(fmt::format("/proc/self/fd/{}", userfault.get())));
  if (link != "anon_inode:[userfaultfd]") {
    return MakeError(ErrorCode::kUnsupported, "{} in place of a userfaultfd", link);
  }
  uffdio_api api = {};
  api.api = UFFD_API;
  api.features = kFeatureWriteProtect | kFeatureUnpopulated | kFeatureAsynchronous;
  if (ioctl(userfault.get(), UFFDIO_API, &api) != 0) {
    const int saved = errno;
    return MakeError(ErrorCode::kUnsupported, "ioctl(UFFDIO_API, {:#x}): errno {}", api.features,
                     saved);
  }
  std::string name = fmt::format("/proc/{}/pagemap", pid);
  return WriteTracking(std::move(userfault), std::move(name));
}

bool WriteTracking::IsPossible() {
  UniqueFd userfault(static_cast<int>(syscall(SYS_userfaultfd, kUserfaultFlags)));
  return userfault.valid() && Create(getpid(), std::move(userfault)).has_value();
}

// To unregister all at once keeps the process from every fault for long: 7 ms for 256 MB of small
// pages. Most of it is the protection, which goes piece by piece before. It is there also where
// mremap(2) has ended the tracking of a mapping, which therefore begins once more.
WriteTracking::~WriteTracking() {
  for (const RemoteRange& mapping : mappings_) {
    if (Register(userfault_.get(), mapping).has_error()) continue;
    static_cast<void>(Unprotect(userfault_.get(), mapping));
    // Whoever else may have the descriptor.
    uffdio_range range = {mapping.start, mapping.size_bytes()};
    static_cast<void>(ioctl(userfault_.get(), UFFDIO_UNREGISTER, &range));
  }
}

// Pages that kept a protection of somebody else's tracking would count as not written to, though
// they can be: mremap(2) of a neighbour ends a tracking and leaves the marks
// (mremap_userfaultfd_prep in fs/userfaultfd.c; seen on 6.18).
Result<> WriteTracking::Track(RemoteRange mapping, std::vector<RemoteRange>& pages) {
  CKPT_TRY(Register(userfault_.get(), mapping));
  mappings_.push_back(mapping);
  CKPT_TRY(Unprotect(userfault_.get(), mapping));
  CKPT_TRY(const UniqueFd pagemap, OpenFile(name_, O_RDONLY));
  return ScanPages(
      pagemap.get(), name_, mapping, kThere, [&](RemoteRange found) { AppendRange(found, pages); },
      ScanAction::kProtectAndScan);
}

// The process may have another address space by now (execve), in which nothing is tracked.
Result<> WriteTracking::FindClean(std::vector<RemoteRange>& clean) const {
  CKPT_TRY(const UniqueFd pagemap, OpenFile(name_, O_RDONLY));
  for (const RemoteRange& mapping : mappings_) {
    CKPT_TRY(ScanPages(pagemap.get(), name_, mapping, kClean,
                       [&](RemoteRange found) { AppendRange(found, clean); }));
  }
  return success();
}

}  // namespace ckpt
