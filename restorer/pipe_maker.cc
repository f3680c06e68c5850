#include "restorer/pipe_maker.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace ckpt {

namespace {

// What fcntl(F_SETFL) can set on a pipe. O_DIRECT is packet mode (pipe(2)).
constexpr int kSettableFlags = O_NONBLOCK | O_DIRECT | O_ASYNC | O_NOATIME | O_APPEND;

Error PipeError(int error_number, const PipePlan& pipe, std::string_view call) {
  return ErrnoError(error_number, "pipe {}: {}", pipe.pipe_id, call);
}

Result<> SetCapacity(int fd, const PipePlan& pipe) {
  if (!pipe.capacity_bytes) return success();
  if (fcntl(fd, F_GETPIPE_SZ) == static_cast<int>(*pipe.capacity_bytes)) return success();
  if (fcntl(fd, F_SETPIPE_SZ, static_cast<int>(*pipe.capacity_bytes)) < 0) {
    const int saved = errno;
    return PipeError(saved, pipe, fmt::format("fcntl(F_SETPIPE_SZ, {})", *pipe.capacity_bytes));
  }
  return success();
}

// `fd` does not block.
Result<> PutContent(int fd, const PipePlan& pipe) {
  if (pipe.content.empty()) return success();
  return WriteAll(
      fd, AsBytes(pipe.content),
      fmt::format("pipe {} with a capacity of {} bytes", pipe.pipe_id, fcntl(fd, F_GETPIPE_SZ)));
}

// The end itself for the first description that is like it, a new description for the others.
Result<UniqueFd> TakeEnd(const PipePlan& pipe, std::array<UniqueFd, 2>& unused, int way_in,
                         int flags) {
  const int access = flags & O_ACCMODE;
  if (access != O_RDWR) {
    UniqueFd& end = unused[access == O_WRONLY ? 1 : 0];
    if (end.valid()) return std::move(end);
  }
  Result<UniqueFd> opened = OpenFile(fmt::format("/proc/self/fd/{}", way_in), access | O_NONBLOCK);
  if (opened.has_error()) {
    return std::move(opened).error().In(fmt::format("pipe {}", pipe.pipe_id));
  }
  return opened;
}

}  // namespace

Result<> FillPipe(int fd, const PipePlan& pipe) {
  CKPT_TRY(SetCapacity(fd, pipe));
  return PutContent(fd, pipe);
}

Result<> SetPipeFlags(int fd, const PipePlan& pipe, const FilePlan& end) {
  if (fcntl(fd, F_SETFL, end.flags & kSettableFlags) < 0) {
    const int saved = errno;
    return PipeError(saved, pipe, fmt::format("fcntl(F_SETFL, {:#o})", end.flags));
  }
  return success();
}

Result<std::map<uint32_t, UniqueFd>> MakePipe(const PipePlan& pipe,
                                              std::span<const FilePlan* const> ends) {
  std::array<int, 2> numbers{};
  if (pipe2(numbers.data(), O_CLOEXEC | O_NONBLOCK) < 0) {
    const int saved = errno;
    return PipeError(saved, pipe, "pipe2(O_CLOEXEC | O_NONBLOCK)");
  }
  std::array<UniqueFd, 2> unused = {UniqueFd(numbers[0]), UniqueFd(numbers[1])};
  CKPT_TRY(FillPipe(numbers[1], pipe));
  // Further descriptions are opened by way of one that is not given away.
  const UniqueFd way_in(fcntl(numbers[0], F_DUPFD_CLOEXEC, 0));
  std::map<uint32_t, UniqueFd> descriptions;
  for (const FilePlan* end : ends) {
    CKPT_TRY(UniqueFd fd, TakeEnd(pipe, unused, way_in.get(), end->flags));
    CKPT_TRY(SetPipeFlags(fd.get(), pipe, *end));
    descriptions.emplace(end->id, std::move(fd));
  }
  return descriptions;
}

}  // namespace ckpt
