#include "dumper/descriptors.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/file.h"
#include "dumper/event_files.h"
#include "dumper/open_description.h"

namespace ckpt {

namespace {

constexpr uint32_t kFdinfoCloexec = 1;  // fdinfo_entry.flags

// Character devices that hold no state: an open of their path is as good as the descriptor.
// Documentation/admin-guide/devices.txt, major 1: null, zero, full, random, urandom, kmsg.
bool IsStatelessDevice(const LinkedFile& file) {
  constexpr std::array<uint32_t, 5> kMinors = {3, 5, 7, 8, 9};
  return S_ISCHR(file.mode) && file.rdev_major == 1 &&
         std::ranges::find(kMinors, file.rdev_minor) != kMinors.end();
}

bool HasPath(const OpenDescription& opened) { return opened.file.path.starts_with('/'); }

std::optional<std::string> ReasonToRefusePath(const OpenDescription& opened) {
  const LinkedFile& file = opened.file;
  if (file.path.starts_with("/memfd:")) return "memory files are not supported yet";
  if (IsDeleted(file)) return "deleted files are not supported yet";
  if (S_ISREG(file.mode) || S_ISDIR(file.mode) || IsStatelessDevice(file)) return std::nullopt;
  if (S_ISFIFO(file.mode) && opened.IsPathOnly()) return std::nullopt;
  if (S_ISCHR(file.mode) || S_ISBLK(file.mode)) {
    return fmt::format("the {} device {}:{} is not supported",
                       S_ISCHR(file.mode) ? "character" : "block", file.rdev_major,
                       file.rdev_minor);
  }
  return fmt::format("files of mode {:#o} are not supported", file.mode);
}

Result<uint32_t> AddPath(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const pb::fown_entry owner, ReadOwner(opened));
  return files.AddRegular(opened.file, opened.description_flags(), opened.info.position_bytes,
                          owner);
}

std::optional<std::string> ReasonToRefusePipe(const OpenDescription& opened) {
  if (opened.file.inode > std::numeric_limits<uint32_t>::max()) return "its inode exceeds 32 bits";
  return std::nullopt;
}

Result<uint32_t> AddPipe(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const pb::fown_entry owner, ReadOwner(opened));
  return files.AddPipe(PipeIdOf(opened), opened.description_flags(), owner);
}

std::optional<std::string> ReasonToRefuseFifo(const OpenDescription& opened) {
  if (IsDeleted(opened.file)) return "deleted files are not supported yet";
  return ReasonToRefusePipe(opened);
}

Result<uint32_t> AddFifo(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const uint32_t regular_id, AddPath(opened, files));
  return files.AddFifo(PipeIdOf(opened), regular_id);
}

std::optional<std::string> NoReason(const OpenDescription& /*opened*/) { return std::nullopt; }

// A kind of descriptor. The first that recognises one has it.
struct DescriptorKind {
  pb::fd_types type;
  bool (*recognises)(const OpenDescription&);
  std::optional<std::string> (*reason_to_refuse)(const OpenDescription&);
  Result<uint32_t> (*add)(const OpenDescription&, FileTable&);
};

template <bool (*Recognises)(const LinkedFile&)>
bool ByFile(const OpenDescription& opened) {
  return Recognises(opened.file);
}

constexpr std::array kKinds = {
    DescriptorKind{pb::PIPE, ByFile<IsPipe>, ReasonToRefusePipe, AddPipe},
    DescriptorKind{
        pb::FIFO,
        [](const OpenDescription& opened) { return IsFifo(opened.file) && !opened.IsPathOnly(); },
        ReasonToRefuseFifo, AddFifo},
    DescriptorKind{pb::EVENTFD, ByFile<IsEventfd>, ReasonToRefuseEventfd, AddEventfd},
    DescriptorKind{pb::SIGNALFD, ByFile<IsSignalfd>, NoReason, AddSignalfd},
    DescriptorKind{pb::TIMERFD, ByFile<IsTimerfd>, NoReason, AddTimerfd},
    DescriptorKind{pb::EVENTPOLL, ByFile<IsEpoll>, NoReason, AddEpoll},
    DescriptorKind{pb::REG, HasPath, ReasonToRefusePath, AddPath},
};

const DescriptorKind* FindKind(const OpenDescription& opened) {
  const auto found = std::ranges::find_if(
      kKinds, [&](const DescriptorKind& kind) { return kind.recognises(opened); });
  return found == kKinds.end() ? nullptr : &*found;
}

// Why the file cannot be dumped, or nothing.
std::optional<std::string> ReasonToRefuse(const OpenDescription& opened,
                                          const DescriptorKind* kind) {
  for (const std::string& line : opened.info.details) {
    if (line.starts_with("lock:")) return "a file lock or lease is held on it";
  }
  if (S_ISSOCK(opened.file.mode)) return "sockets are not supported yet";
  if (kind == nullptr) return "files of this kind are not supported yet";
  return kind->reason_to_refuse(opened);
}

// Ids of open file descriptions, found by what dups have in common and confirmed by kcmp(2).
class Descriptions {
 public:
  explicit Descriptions(pid_t pid) : pid_(pid) {}

  // The id of the description, made by `add` if none that is equal was there.
  template <typename Add>
  Result<uint32_t> FindOrAdd(const OpenDescription& opened, Add add) {
    std::vector<Known>& known = known_[Key(opened)];
    // Sorted by the order that kcmp(2) tells: many descriptions can be alike (eventfds).
    const auto place = std::ranges::lower_bound(
        known, opened.number,
        [this](int first, int second) { return Order(first, second) == kLess; }, &Known::number);
    if (place != known.end() && Order(place->number, opened.number) == kEqual) return place->id;
    CKPT_TRY(const uint32_t id, add());
    known.insert(place, {opened.number, id});
    return id;
  }

 private:
  // What kcmp(2) returns.
  static constexpr long kEqual = 0;
  static constexpr long kLess = 1;

  struct Known {
    int number;
    uint32_t id;
  };
  using KeyType = std::tuple<uint32_t, uint32_t, uint64_t, uint32_t, uint64_t>;
  static KeyType Key(const OpenDescription& opened) {
    return {opened.file.dev_major, opened.file.dev_minor, opened.file.inode,
            opened.description_flags(), opened.info.position_bytes};
  }
  long Order(int first, int second) const {
    return syscall(SYS_kcmp, pid_, pid_, KCMP_FILE, first, second);
  }

  pid_t pid_;
  std::map<KeyType, std::vector<Known>> known_;
};

// Collects the descriptors of one process.
class Collector {
 public:
  Collector(pid_t pid, FileTable& files, Refusals& refusals)
      : pid_(pid), files_(files), refusals_(refusals), known_(pid) {}

  Result<Descriptors> Collect(int pidfd, const std::vector<int>& numbers) {
    for (const int number : numbers) {
      CKPT_TRY(OpenDescription opened, ReadOpen(pid_, pidfd, number));
      CKPT_TRY(Add(std::move(opened)));
    }
    CKPT_TRY(descriptors_.pipes, CollectPipeContents(Of(pb::PIPE), refusals_));
    CKPT_TRY(descriptors_.fifos, CollectPipeContents(Of(pb::FIFO), refusals_));
    CKPT_TRY(CheckEpollWatches(pid_, Of(pb::EVENTPOLL), refusals_));
    return std::move(descriptors_);
  }

 private:
  Result<> Add(OpenDescription opened) {
    const DescriptorKind* kind = FindKind(opened);
    if (const auto reason = ReasonToRefuse(opened, kind)) {
      refusals_.Add("fd {} is {}: {}", opened.number, opened.file.path, *reason);
      return success();
    }
    CKPT_TRY(const uint32_t id,
             known_.FindOrAdd(opened, [&] { return kind->add(opened, files_); }));
    pb::fdinfo_entry& entry = descriptors_.fds.emplace_back();
    entry.set_id(id);
    entry.set_flags((opened.info.flags & O_CLOEXEC) != 0 ? kFdinfoCloexec : 0);
    entry.set_type(kind->type);
    entry.set_fd(static_cast<uint32_t>(opened.number));
    opened_.emplace_back(kind->type, std::move(opened));
    return success();
  }

  std::vector<const OpenDescription*> Of(pb::fd_types type) const {
    std::vector<const OpenDescription*> found;
    for (const auto& [type_of_one, opened] : opened_) {
      if (type_of_one == type) found.push_back(&opened);
    }
    return found;
  }

  pid_t pid_;
  FileTable& files_;
  Refusals& refusals_;
  Descriptions known_;
  Descriptors descriptors_;
  std::vector<std::pair<pb::fd_types, OpenDescription>> opened_;
};

}  // namespace

Result<Descriptors> CollectDescriptors(pid_t pid, FileTable& files, Refusals& refusals) {
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int saved = errno;
  if (!pidfd.valid()) return ErrnoError(saved, "pidfd_open({})", pid);
  CKPT_TRY(const std::vector<int> numbers, ListFds(pid));
  return Collector(pid, files, refusals).Collect(pidfd.get(), numbers);
}

}  // namespace ckpt
