#include "dumper/descriptors.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "base/file.h"
#include "process/fdinfo.h"
#include "process/linked_file.h"

namespace ckpt {

namespace {

// linux/fcntl.h, CONFIG_CHECKPOINT_RESTORE: two uid_t, real and effective.
constexpr int kFGetOwnerUids = 17;

constexpr uint32_t kFdinfoCloexec = 1;  // fdinfo_entry.flags

// One descriptor, and a duplicate of it in this process.
struct OpenDescription {
  int number = 0;
  LinkedFile file;
  FdInfo info;
  UniqueFd copy;

  uint32_t description_flags() const { return info.flags & ~static_cast<uint32_t>(O_CLOEXEC); }
  bool IsReadEnd() const { return (info.flags & O_ACCMODE) != O_WRONLY; }
  bool IsWriteEnd() const { return (info.flags & O_ACCMODE) != O_RDONLY; }
};

Result<OpenDescription> ReadOpen(pid_t pid, int pidfd, int number) {
  OpenDescription opened;
  opened.number = number;
  CKPT_TRY(opened.file, ReadLinkedFile(fmt::format("/proc/{}/fd/{}", pid, number)));
  CKPT_TRY(opened.info, ReadFdInfo(pid, number));
  opened.copy = UniqueFd(static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, number, 0)));
  const int saved = errno;
  if (!opened.copy.valid()) return ErrnoError(saved, "pidfd_getfd(process {}, {})", pid, number);
  return opened;
}

// Who gets signals about the file (F_SETOWN, F_SETSIG); all zero where nobody does.
Result<pb::fown_entry> ReadOwner(int fd) {
  pb::fown_entry entry;
  f_owner_ex owner{};
  std::array<uid_t, 2> uids{};
  if (fcntl(fd, F_GETOWN_EX, &owner) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fcntl(F_GETOWN_EX)");
  }
  const int signal = owner.pid == 0 ? 0 : fcntl(fd, F_GETSIG);
  if (owner.pid != 0 && fcntl(fd, kFGetOwnerUids, uids.data()) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fcntl(F_GETOWNER_UIDS)");
  }
  entry.set_uid(uids[0]);
  entry.set_euid(uids[1]);
  entry.set_signum(static_cast<uint32_t>(signal));
  entry.set_pid_type(owner.pid == 0 ? 0 : static_cast<uint32_t>(owner.type));
  entry.set_pid(static_cast<uint32_t>(owner.pid));
  return entry;
}

// Character devices that hold no state: an open of their path is as good as the descriptor.
// Documentation/admin-guide/devices.txt, major 1: null, zero, full, random, urandom, kmsg.
bool IsStatelessDevice(const LinkedFile& file) {
  constexpr std::array<uint32_t, 5> kMinors = {3, 5, 7, 8, 9};
  return S_ISCHR(file.mode) && file.rdev_major == 1 &&
         std::ranges::find(kMinors, file.rdev_minor) != kMinors.end();
}

bool IsPipe(const LinkedFile& file) {
  return S_ISFIFO(file.mode) && file.path.starts_with("pipe:[");
}

// Why the file cannot be dumped, or nothing.
std::optional<std::string> ReasonToRefuse(const OpenDescription& opened) {
  const LinkedFile& file = opened.file;
  for (const std::string& line : opened.info.details) {
    if (line.starts_with("lock:")) return "a file lock or lease is held on it";
  }
  if (S_ISSOCK(file.mode)) return "sockets are not supported yet";
  if (IsPipe(file)) {
    if (file.inode > std::numeric_limits<uint32_t>::max()) return "its inode exceeds 32 bits";
    return std::nullopt;
  }
  if (S_ISFIFO(file.mode)) return "named pipes are not supported yet";
  if (!file.path.starts_with('/')) return "files of this kind are not supported yet";
  if (file.path.starts_with("/memfd:")) return "memory files are not supported yet";
  if (IsDeleted(file)) return "deleted files are not supported yet";
  if (S_ISREG(file.mode) || S_ISDIR(file.mode) || IsStatelessDevice(file)) return std::nullopt;
  if (S_ISCHR(file.mode) || S_ISBLK(file.mode)) {
    return fmt::format("the {} device {}:{} is not supported",
                       S_ISCHR(file.mode) ? "character" : "block", file.rdev_major,
                       file.rdev_minor);
  }
  return fmt::format("files of mode {:#o} are not supported", file.mode);
}

bool SameDescription(pid_t pid, int first, int second) {
  return syscall(SYS_kcmp, pid, pid, KCMP_FILE, first, second) == 0;
}

// Ids of open file descriptions, found by what dups have in common and confirmed by kcmp(2).
class Descriptions {
 public:
  explicit Descriptions(pid_t pid) : pid_(pid) {}

  // The id under which an equal description was added, or nothing.
  std::optional<uint32_t> Find(const OpenDescription& opened) const {
    const auto [first, last] = known_.equal_range(Key(opened));
    const auto same = std::find_if(first, last, [&](const auto& candidate) {
      return SameDescription(pid_, candidate.second.first, opened.number);
    });
    if (same == last) return std::nullopt;
    return same->second.second;
  }
  void Add(const OpenDescription& opened, uint32_t id) {
    known_.emplace(Key(opened), std::pair(opened.number, id));
  }

 private:
  using KeyType = std::tuple<uint32_t, uint32_t, uint64_t, uint32_t, uint64_t>;
  static KeyType Key(const OpenDescription& opened) {
    return {opened.file.dev_major, opened.file.dev_minor, opened.file.inode,
            opened.description_flags(), opened.info.position_bytes};
  }

  pid_t pid_;
  std::multimap<KeyType, std::pair<int, uint32_t>> known_;
};

// The bytes in a pipe, left in it: tee(2) into a pipe of our own, and read from there.
Result<PipeContent> ReadPipe(const OpenDescription& read_end) {
  const int fd = read_end.copy.get();
  int pending_bytes = 0;
  const int capacity_bytes = fcntl(fd, F_GETPIPE_SZ);
  if (capacity_bytes < 0 || ioctl(fd, FIONREAD, &pending_bytes) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "FIONREAD of {}", read_end.file.path);
  }
  PipeContent content;
  content.entry.set_pipe_id(static_cast<uint32_t>(read_end.file.inode));
  content.entry.set_bytes(static_cast<uint32_t>(pending_bytes));
  content.entry.set_size(static_cast<uint32_t>(capacity_bytes));
  content.bytes.resize(static_cast<size_t>(pending_bytes));
  if (pending_bytes == 0) return content;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "pipe2");
  }
  const UniqueFd copy_read(ends[0]);
  const UniqueFd copy_write(ends[1]);
  if (fcntl(copy_write.get(), F_SETPIPE_SZ, capacity_bytes) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "fcntl(F_SETPIPE_SZ, {})", capacity_bytes);
  }
  const ssize_t copied =
      tee(fd, copy_write.get(), static_cast<size_t>(pending_bytes), SPLICE_F_NONBLOCK);
  const ssize_t got =
      copied < 0 ? -1 : read(copy_read.get(), content.bytes.data(), content.bytes.size());
  const int saved = errno;
  if (got < 0) return ErrnoError(saved, "tee of {}", read_end.file.path);
  if (got != pending_bytes) {
    return MakeError(ErrorCode::kSystem, "{}: {} of {} bytes could be copied", read_end.file.path,
                     got, pending_bytes);
  }
  return content;
}

// True when the end of the pipe that `opened` is not exists: for a read end a writer, for a
// write end a reader.
bool OtherEndExists(const OpenDescription& opened) {
  pollfd query{opened.copy.get(), 0, 0};
  if (poll(&query, 1, 0) < 0) return true;
  return (query.revents & (opened.IsReadEnd() ? POLLHUP : POLLERR)) == 0;
}

// All ends of one pipe that the process has.
struct Pipe {
  const OpenDescription* read_end = nullptr;
  const OpenDescription* write_end = nullptr;
};

Result<std::vector<PipeContent>> CollectPipes(const std::vector<OpenDescription>& all_opened,
                                              Refusals& refusals) {
  std::map<uint64_t, Pipe> pipes;
  for (const OpenDescription& opened : all_opened) {
    if (!IsPipe(opened.file)) continue;
    Pipe& pipe = pipes[opened.file.inode];
    if (opened.IsReadEnd()) pipe.read_end = &opened;
    if (opened.IsWriteEnd()) pipe.write_end = &opened;
  }
  std::vector<PipeContent> contents;
  for (const auto& [inode, pipe] : pipes) {
    const OpenDescription& some_end = pipe.read_end != nullptr ? *pipe.read_end : *pipe.write_end;
    if ((pipe.read_end == nullptr || pipe.write_end == nullptr) && OtherEndExists(some_end)) {
      refusals.Add("fd {} is {}: its other end is in another process", some_end.number,
                   some_end.file.path);
    }
    if (pipe.read_end == nullptr) continue;
    CKPT_TRY(PipeContent content, ReadPipe(*pipe.read_end));
    if (content.entry.bytes() > 0 && (pipe.read_end->info.flags & O_DIRECT) != 0) {
      refusals.Add("fd {} is {}: packets in a pipe are not supported", pipe.read_end->number,
                   pipe.read_end->file.path);
    }
    contents.push_back(std::move(content));
  }
  return contents;
}

Result<uint32_t> AddDescription(const OpenDescription& opened, FileTable& files) {
  const uint32_t flags = opened.description_flags();
  if (IsPipe(opened.file)) {
    CKPT_TRY(const pb::fown_entry owner, ReadOwner(opened.copy.get()));
    return files.AddPipe(static_cast<uint32_t>(opened.file.inode), flags, owner);
  }
  pb::fown_entry owner;
  // A descriptor opened by O_PATH has no owner to ask for (EBADF).
  if ((flags & O_PATH) == 0) {
    CKPT_TRY(owner, ReadOwner(opened.copy.get()));
  } else {
    owner.set_uid(0), owner.set_euid(0), owner.set_signum(0), owner.set_pid_type(0),
        owner.set_pid(0);
  }
  return files.AddRegular(opened.file, flags, opened.info.position_bytes, owner);
}

pb::fdinfo_entry FdinfoEntry(const OpenDescription& opened, uint32_t id) {
  pb::fdinfo_entry entry;
  entry.set_id(id);
  entry.set_flags((opened.info.flags & O_CLOEXEC) != 0 ? kFdinfoCloexec : 0);
  entry.set_type(IsPipe(opened.file) ? pb::PIPE : pb::REG);
  entry.set_fd(static_cast<uint32_t>(opened.number));
  return entry;
}

}  // namespace

Result<Descriptors> CollectDescriptors(pid_t pid, FileTable& files, Refusals& refusals) {
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int saved = errno;
  if (!pidfd.valid()) return ErrnoError(saved, "pidfd_open({})", pid);
  CKPT_TRY(const std::vector<int> numbers, ListFds(pid));
  Descriptors descriptors;
  Descriptions known(pid);
  std::vector<OpenDescription> all_opened;
  for (const int number : numbers) {
    CKPT_TRY(OpenDescription opened, ReadOpen(pid, pidfd.get(), number));
    if (const auto reason = ReasonToRefuse(opened)) {
      refusals.Add("fd {} is {}: {}", number, opened.file.path, *reason);
      continue;
    }
    std::optional<uint32_t> id = known.Find(opened);
    if (!id) {
      CKPT_TRY(id, AddDescription(opened, files));
      known.Add(opened, *id);
    }
    descriptors.fds.push_back(FdinfoEntry(opened, *id));
    all_opened.push_back(std::move(opened));
  }
  CKPT_TRY(descriptors.pipes, CollectPipes(all_opened, refusals));
  return descriptors;
}

}  // namespace ckpt
