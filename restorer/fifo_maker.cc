#include "restorer/fifo_maker.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "restorer/pipe_maker.h"

namespace ckpt {

namespace {

Error FifoError(int error_number, const FilePlan& end, std::string_view call) {
  return ErrnoError(error_number, "{}: {}: {}", end.place, end.path, call);
}

Result<> CheckEmpty(int fd, const FilePlan& end) {
  int pending_bytes = 0;
  if (ioctl(fd, FIONREAD, &pending_bytes) < 0) {
    const int saved = errno;
    return FifoError(saved, end, "ioctl(FIONREAD)");
  }
  if (pending_bytes == 0) return success();
  return MakeError(ErrorCode::kUnsupported,
                   "{}: {}: holds {} bytes already: another process has it open", end.place,
                   end.path, pending_bytes);
}

Result<> CheckSame(int fd, const FilePlan& end, int first_fd, const FilePlan& first) {
  struct stat status {};
  struct stat first_status {};
  if (fstat(fd, &status) < 0 || fstat(first_fd, &first_status) < 0) {
    const int saved = errno;
    return FifoError(saved, end, "fstat");
  }
  if (status.st_dev == first_status.st_dev && status.st_ino == first_status.st_ino) {
    return success();
  }
  return MakeError(ErrorCode::kUnsupported, "{}: {} and {} were one FIFO and are two now",
                   end.place, first.path, end.path);
}

// A writer is needed to put content in, and a reader for an end that writes to be opened without
// waiting. Where neither is needed there is none: the kernel tells a reader that a writer has come
// and gone (POLLHUP).
bool NeedsBothEnds(const PipePlan& fifo, std::span<const FilePlan* const> ends) {
  return !fifo.content.empty() || std::ranges::any_of(ends, [](const FilePlan* end) {
    return (end->flags & O_ACCMODE) != O_RDONLY;
  });
}

}  // namespace

Result<std::map<uint32_t, UniqueFd>> MakeFifo(const PipePlan& fifo,
                                              std::span<const FilePlan* const> ends,
                                              const PathOpener& opener) {
  const FilePlan& first = *ends.front();
  const int first_access = NeedsBothEnds(fifo, ends) ? O_RDWR : O_RDONLY;
  CKPT_TRY(const UniqueFd way_in, opener.Open(first, first_access | O_NONBLOCK));
  CKPT_TRY(CheckEmpty(way_in.get(), first));
  CKPT_TRY(FillPipe(way_in.get(), fifo));
  std::map<uint32_t, UniqueFd> descriptions;
  for (const FilePlan* end : ends) {
    CKPT_TRY(UniqueFd fd, opener.Open(*end, (end->flags & O_ACCMODE) | O_NONBLOCK));
    CKPT_TRY(CheckSame(fd.get(), *end, way_in.get(), first));
    CKPT_TRY(SetPipeFlags(fd.get(), fifo, *end));
    descriptions.emplace(end->id, std::move(fd));
  }
  return descriptions;
}

}  // namespace ckpt
