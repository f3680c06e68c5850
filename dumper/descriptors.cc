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
#include <optional>
#include <utility>

#include "base/file.h"
#include "dumper/event_files.h"
#include "dumper/open_description.h"
#include "dumper/unix_sockets.h"

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
  const uint32_t id =
      files.AddRegular(opened.file, opened.description_flags(), opened.info.position_bytes, owner);
  if (IsDeleted(opened.file)) {
    CKPT_TRY(files.ghosts().Add(id, opened.file,
                                fmt::format("/proc/{}/fd/{}", opened.pid, opened.number)));
  }
  return id;
}

std::optional<std::string> ReasonToRefusePipe(const OpenDescription& opened) {
  if (opened.file.inode > std::numeric_limits<uint32_t>::max()) return "its inode exceeds 32 bits";
  return std::nullopt;
}

Result<uint32_t> AddPipe(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const pb::fown_entry owner, ReadOwner(opened));
  return files.AddPipe(PipeIdOf(opened), opened.description_flags(), owner);
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
  bool keep = false;  // for ReadContents()
};

template <bool (*Recognises)(const LinkedFile&)>
bool ByFile(const OpenDescription& opened) {
  return Recognises(opened.file);
}

constexpr std::array kKinds = {
    DescriptorKind{pb::PIPE, ByFile<IsPipe>, ReasonToRefusePipe, AddPipe, true},
    DescriptorKind{
        pb::FIFO,
        [](const OpenDescription& opened) { return IsFifo(opened.file) && !opened.IsPathOnly(); },
        ReasonToRefusePipe, AddFifo, true},
    DescriptorKind{pb::UNIXSK, IsSocket, ReasonToRefuseSocket, AddUnixSocket, true},
    DescriptorKind{pb::EVENTFD, ByFile<IsEventfd>, ReasonToRefuseEventfd, AddEventfd},
    DescriptorKind{pb::SIGNALFD, ByFile<IsSignalfd>, NoReason, AddSignalfd},
    DescriptorKind{pb::TIMERFD, ByFile<IsTimerfd>, NoReason, AddTimerfd},
    DescriptorKind{pb::EVENTPOLL, ByFile<IsEpoll>, NoReason, AddEpoll},
    DescriptorKind{pb::TTY, IsTerminal, NoReason, AddTerminal, true},
    DescriptorKind{pb::REG, HasPath, ReasonToRefusePath, AddPath},
};

const DescriptorKind* FindKind(const OpenDescription& opened) {
  const auto found = std::ranges::find_if(
      kKinds, [&](const DescriptorKind& kind) { return kind.recognises(opened); });
  return found == kKinds.end() ? nullptr : &*found;
}

// Why the file cannot be dumped, or nothing.
std::optional<std::string> ReasonToRefuse(const OpenDescription& opened, const DescriptorKind* kind,
                                          const FileTable& files, bool is_shell_job) {
  for (const std::string& line : opened.info.details) {
    if (line.starts_with("lock:")) return "a file lock or lease is held on it";
  }
  if (kind == nullptr) return "files of this kind are not supported yet";
  if (IsDeleted(opened.file)) {
    if (auto reason = files.ghosts().ReasonToRefuse(opened.file)) return reason;
  }
  if (kind->type == pb::TTY) return ReasonToRefuseTerminal(opened, is_shell_job);
  return kind->reason_to_refuse(opened);
}

// What kcmp(2) returns.
constexpr long kEqual = 0;
constexpr long kLess = 1;

// Of the descriptions behind two descriptors.
long Order(pid_t pid, int number, const OpenDescription& opened) {
  return syscall(SYS_kcmp, pid, opened.pid, KCMP_FILE, number, opened.number);
}

}  // namespace

Descriptions::Key Descriptions::KeyOf(const OpenDescription& opened) {
  return {opened.file.dev_major, opened.file.dev_minor, opened.file.inode,
          opened.description_flags(), opened.info.position_bytes};
}

bool Descriptions::IsBefore(const Known& known, const OpenDescription& opened) {
  return Order(known.pid, known.number, opened) == kLess;
}

std::optional<uint32_t> Descriptions::Find(const OpenDescription& opened) const {
  const auto alike = known_.find(KeyOf(opened));
  if (alike == known_.end()) return std::nullopt;
  const auto found = std::ranges::partition_point(
      alike->second, [&](const Known& known) { return IsBefore(known, opened); });
  if (found == alike->second.end()) return std::nullopt;
  if (Order(found->pid, found->number, opened) != kEqual) return std::nullopt;
  return found->id;
}

void Descriptions::Add(const OpenDescription& opened, uint32_t id) {
  std::vector<Known>& alike = known_[KeyOf(opened)];
  const auto place = std::ranges::partition_point(
      alike, [&](const Known& known) { return IsBefore(known, opened); });
  alike.insert(place, {opened.pid, opened.number, id});
}

Result<std::vector<pb::fdinfo_entry>> DescriptorCollector::Collect(DescriptorTable& table) {
  std::vector<pb::fdinfo_entry> fds;
  new_epolls_.clear();
  CKPT_TRY(table.ReadAll([&](OpenDescription opened) { return Add(std::move(opened), fds); }));
  // An epoll that others have as well is restored by the first that has it.
  std::vector<const OpenDescription*> epolls;
  for (const OpenDescription& epoll : new_epolls_) epolls.push_back(&epoll);
  CKPT_TRY(CheckEpollWatches(table.pid(), epolls, refusals_));
  return fds;
}

Result<> DescriptorCollector::Add(OpenDescription opened, std::vector<pb::fdinfo_entry>& fds) {
  const DescriptorKind* kind = FindKind(opened);
  if (const auto reason = ReasonToRefuse(opened, kind, files_, is_shell_job_)) {
    refusals_.Add("fd {} is {}: {}", opened.number, opened.file.path, *reason);
    return success();
  }
  std::optional<uint32_t> id = known_.Find(opened);
  const bool is_new = !id.has_value();
  if (is_new) {
    CKPT_TRY(id, kind->add(opened, files_));
    known_.Add(opened, *id);
  }
  pb::fdinfo_entry& entry = fds.emplace_back();
  entry.set_id(*id);
  entry.set_flags((opened.info.flags & O_CLOEXEC) != 0 ? kFdinfoCloexec : 0);
  entry.set_type(kind->type);
  entry.set_fd(static_cast<uint32_t>(opened.number));
  if (!is_new) return success();
  if (kind->type == pb::EVENTPOLL) {
    new_epolls_.push_back(std::move(opened));
  } else if (kind->keep) {
    kept_.emplace_back(kind->type, std::move(opened));
  }
  return success();
}

std::vector<const OpenDescription*> DescriptorCollector::Of(pb::fd_types type) const {
  std::vector<const OpenDescription*> found;
  for (const auto& [type_of_one, opened] : kept_) {
    if (type_of_one == type) found.push_back(&opened);
  }
  return found;
}

Result<FileContents> DescriptorCollector::ReadContents() {
  FileContents contents;
  CKPT_TRY(contents.pipes, CollectPipeContents(Of(pb::PIPE), refusals_));
  CKPT_TRY(contents.fifos, CollectPipeContents(Of(pb::FIFO), refusals_));
  CKPT_TRY(contents.packets, CompleteUnixSockets(Of(pb::UNIXSK), files_, refusals_));
  CKPT_TRY(contents.terminals, CollectTerminals(Of(pb::TTY)));
  return contents;
}

}  // namespace ckpt
