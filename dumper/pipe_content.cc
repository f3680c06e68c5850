#include "dumper/pipe_content.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <utility>

namespace ckpt {

namespace {

// A pipe of our own to copy into.
struct PipeCopy {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<PipeCopy> MakePipeCopy(int capacity_bytes) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "pipe2");
  }
  PipeCopy copy{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (fcntl(copy.write_end.get(), F_SETPIPE_SZ, capacity_bytes) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "fcntl(F_SETPIPE_SZ, {})", capacity_bytes);
  }
  return copy;
}

Result<size_t> PendingBytes(const OpenDescription& end) {
  int pending_bytes = 0;
  if (ioctl(end.copy.get(), FIONREAD, &pending_bytes) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "FIONREAD of {}", end.file.path);
  }
  return static_cast<size_t>(pending_bytes);
}

Result<int> CapacityBytes(const OpenDescription& end) {
  const int capacity_bytes = fcntl(end.copy.get(), F_GETPIPE_SZ);
  const int saved = errno;
  if (capacity_bytes < 0) return ErrnoError(saved, "fcntl(F_GETPIPE_SZ) of {}", end.file.path);
  return capacity_bytes;
}

// The bytes in a pipe, left in it: tee(2) into a pipe of our own, and read from there.
Result<std::string> CopyBytes(const OpenDescription& read_end, size_t pending_bytes,
                              int capacity_bytes) {
  std::string bytes(pending_bytes, '\0');
  if (bytes.empty()) return bytes;
  CKPT_TRY(const PipeCopy copy, MakePipeCopy(capacity_bytes));
  const ssize_t copied =
      tee(read_end.copy.get(), copy.write_end.get(), bytes.size(), SPLICE_F_NONBLOCK);
  const ssize_t got = copied < 0 ? -1 : read(copy.read_end.get(), bytes.data(), bytes.size());
  const int saved = errno;
  if (got < 0) return ErrnoError(saved, "tee of {}", read_end.file.path);
  if (static_cast<size_t>(got) != bytes.size()) {
    return MakeError(ErrorCode::kSystem, "{}: {} of {} bytes could be copied", read_end.file.path,
                     got, bytes.size());
  }
  return bytes;
}

Result<PipeContent> ReadPipe(const OpenDescription& read_end) {
  CKPT_TRY(const size_t pending_bytes, PendingBytes(read_end));
  CKPT_TRY(const int capacity_bytes, CapacityBytes(read_end));
  PipeContent content;
  content.entry.set_pipe_id(PipeIdOf(read_end));
  content.entry.set_bytes(static_cast<uint32_t>(pending_bytes));
  content.entry.set_size(static_cast<uint32_t>(capacity_bytes));
  CKPT_TRY(content.bytes, CopyBytes(read_end, pending_bytes, capacity_bytes));
  return content;
}

// A FIFO whose reader came before any writer does not say POLLHUP (pipe(7) has no such state, the
// kernel's fifo_open() has): while it is empty, tee(2) finds its end if there is no writer.
Result<bool> WriterExists(const OpenDescription& read_end) {
  CKPT_TRY(const size_t pending_bytes, PendingBytes(read_end));
  pollfd query{read_end.copy.get(), 0, 0};
  if (poll(&query, 1, 0) < 0) return true;
  if ((query.revents & POLLHUP) != 0) return false;
  if (pending_bytes > 0) return true;
  CKPT_TRY(const PipeCopy copy, MakePipeCopy(static_cast<int>(sysconf(_SC_PAGESIZE))));
  return tee(read_end.copy.get(), copy.write_end.get(), 1, SPLICE_F_NONBLOCK) != 0;
}

// True when the end of the pipe that `end` is not exists.
Result<bool> OtherEndExists(const OpenDescription& end) {
  if (end.IsReadEnd()) return WriterExists(end);
  pollfd query{end.copy.get(), 0, 0};
  return poll(&query, 1, 0) < 0 || (query.revents & POLLERR) == 0;
}

// An end of each kind of one pipe.
struct Pipe {
  const OpenDescription* read_end = nullptr;
  const OpenDescription* write_end = nullptr;

  const OpenDescription& some_end() const { return read_end != nullptr ? *read_end : *write_end; }
};

bool OnSameFileSystem(const LinkedFile& one, const LinkedFile& other) {
  return one.dev_major == other.dev_major && one.dev_minor == other.dev_minor;
}

std::map<uint32_t, Pipe> GroupEnds(const std::vector<const OpenDescription*>& ends,
                                   Refusals& refusals) {
  std::map<uint32_t, Pipe> pipes;
  for (const OpenDescription* end : ends) {
    const auto [found, is_new] = pipes.try_emplace(PipeIdOf(*end));
    Pipe& pipe = found->second;
    refusals.SetProcess(end->pid);
    if (!is_new && !OnSameFileSystem(pipe.some_end().file, end->file)) {
      refusals.Add("fd {} is {}: fd {}, {}, has the same inode number on another file system",
                   end->number, end->file.path, pipe.some_end().number, pipe.some_end().file.path);
    }
    if (end->IsReadEnd()) pipe.read_end = end;
    if (end->IsWriteEnd()) pipe.write_end = end;
  }
  return pipes;
}

Result<> CheckEnds(const Pipe& pipe, Refusals& refusals) {
  if (pipe.read_end != nullptr && pipe.write_end != nullptr) return success();
  const OpenDescription& end = pipe.some_end();
  refusals.SetProcess(end.pid);
  CKPT_TRY(const bool other_end_exists, OtherEndExists(end));
  if (other_end_exists) {
    refusals.Add("fd {} is {}: its other end is in another process", end.number, end.file.path);
    return success();
  }
  CKPT_TRY(const size_t pending_bytes, PendingBytes(end));
  // Of a pipe they are lost. Whoever opens a FIFO again would read them.
  if (pipe.read_end == nullptr && pending_bytes > 0 && IsFifo(end.file)) {
    refusals.Add("fd {} is {}: it holds {} bytes and nobody has it open to read them", end.number,
                 end.file.path, pending_bytes);
  }
  return success();
}

}  // namespace

bool IsPipe(const LinkedFile& file) {
  return S_ISFIFO(file.mode) && file.path.starts_with("pipe:[");
}

bool IsFifo(const LinkedFile& file) { return S_ISFIFO(file.mode) && file.path.starts_with('/'); }

uint32_t PipeIdOf(const OpenDescription& end) { return static_cast<uint32_t>(end.file.inode); }

Result<std::vector<PipeContent>> CollectPipeContents(
    const std::vector<const OpenDescription*>& ends, Refusals& refusals) {
  const std::map<uint32_t, Pipe> pipes = GroupEnds(ends, refusals);
  std::vector<PipeContent> contents;
  for (const auto& [id, pipe] : pipes) {
    CKPT_TRY(CheckEnds(pipe, refusals));
    if (pipe.read_end == nullptr) continue;
    CKPT_TRY(PipeContent content, ReadPipe(*pipe.read_end));
    if (content.entry.bytes() > 0 && (pipe.read_end->info.flags & O_DIRECT) != 0) {
      refusals.SetProcess(pipe.read_end->pid);
      refusals.Add("fd {} is {}: packets in a pipe are not supported", pipe.read_end->number,
                   pipe.read_end->file.path);
    }
    contents.push_back(std::move(content));
  }
  return contents;
}

}  // namespace ckpt
