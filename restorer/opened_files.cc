#include "restorer/opened_files.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/descriptor_room.h"
#include "process/network_namespace.h"
#include "restorer/event_file_maker.h"
#include "restorer/fifo_maker.h"
#include "restorer/findings.h"
#include "restorer/ghost_maker.h"
#include "restorer/path_opener.h"
#include "restorer/pipe_maker.h"
#include "restorer/shared_memory_maker.h"
#include "restorer/tty_maker.h"
#include "restorer/unix_socket_maker.h"

namespace ckpt {

namespace {

int FloorOf(const RestorePlan& plan) {
  int floor = STDERR_FILENO + 1;
  for (const TaskPlan& task : plan.tasks) {
    if (!task.descriptors.empty()) floor = std::max(floor, task.descriptors.back().fd + 1);
  }
  return floor;
}

Result<UniqueFd> Duplicate(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  const int saved = errno;
  if (!copy.valid()) return ErrnoError(saved, "fcntl(F_DUPFD_CLOEXEC) of a pages image");
  return copy;
}

}  // namespace

// Opens what a plan needs, and collects what is wrong with it.
class FileOpener {
 public:
  FileOpener(const RestorePlan& plan, const PathOpener& opener, pid_t mounts_of)
      : plan_(plan), opener_(opener), ghosts_(mounts_of) {
    files_.floor_ = FloorOf(plan);
  }

  Result<OpenedFiles> Open(std::span<const SharedPages> pages_images, int network_namespace) {
    MakeGhosts();
    KeepEnds(MakeSockets(network_namespace));
    for (const TaskPlan& task : plan_.tasks) OpenTask(task);
    for (const auto& [id, pipe] : plan_.pipes) {
      KeepEnds(MakePipe(pipe, EndsOf(FilePlan::Kind::kPipe, id)));
    }
    for (const auto& [id, fifo] : plan_.fifos) {
      KeepEnds(MakeFifo(fifo, EndsOf(FilePlan::Kind::kFifo, id), opener_));
    }
    for (const auto& [id, memory] : plan_.shared_memory) {
      if (auto fd = Keep(MakeSharedMemory(memory, pages_images))) {
        files_.shared_memory_.emplace(id, std::move(*fd));
      }
    }
    for (const SharedPages& image : pages_images) OpenPages(image);
    CKPT_TRY(findings_.AsResult());
    return std::move(files_);
  }

 private:
  // Tasks read plain pages themselves; they are given those that are compressed.
  void OpenPages(const SharedPages& image) {
    files_.images_.push_back(image);
    files_.compressed_.push_back(image->is_compressed());
    UniqueFd& pages = files_.pages_.emplace_back();
    if (image->is_compressed()) return;
    if (auto fd = Keep(Duplicate(image->fd()))) pages = std::move(*fd);
  }

  // The descriptor, moved above those of the tasks.
  std::optional<UniqueFd> Keep(Result<UniqueFd> opened) {
    std::optional<UniqueFd> fd = findings_.Keep(std::move(opened));
    if (!fd || fd->get() >= files_.floor_) return fd;
    UniqueFd moved(fcntl(fd->get(), F_DUPFD_CLOEXEC, files_.floor_));
    const int saved = errno;
    if (moved.valid()) return moved;
    findings_.Add(ErrnoError(saved,
                             "fcntl(F_DUPFD_CLOEXEC, {}): descriptors above those of the "
                             "dump",
                             files_.floor_));
    return std::nullopt;
  }

  void OpenTask(const TaskPlan& task) {
    if (!task.IsLive()) return;
    for (const DescriptorPlan& descriptor : task.descriptors) OpenDescription(descriptor.file_id);
    for (const MappingPlan& mapping : task.memory.mappings) {
      if (mapping.kind == MappingPlan::Kind::kFile)
        OpenMapped(mapping.file_id, mapping.file_access);
    }
    OpenMapped(task.memory.layout.exe_file_id, O_RDONLY);
    OpenDirectory(task.cwd_file_id);
    OpenDirectory(task.root_file_id);
  }

  // From here on the plans of files that had been deleted have the paths at which they are now.
  void MakeGhosts() {
    for (const auto& [id, ghost] : plan_.ghosts) {
      auto made = ghosts_.Make(ghost, opener_);
      if (made.has_error()) findings_.Add(std::move(made).error());
    }
    for (auto& [id, file] : plans_) {
      if (file.ghost_id != 0) file.path = ghosts_.PathOf(file);
    }
  }

  Result<std::map<uint32_t, UniqueFd>> MakeSockets(int network_namespace) {
    if (network_namespace < 0) return MakeUnixSockets(plan_.unix_sockets);
    std::map<uint32_t, UniqueFd> sockets;
    CKPT_TRY(RunInNetworkNamespace(network_namespace, [&]() -> Result<> {
      CKPT_TRY(sockets, MakeUnixSockets(plan_.unix_sockets));
      return success();
    }));
    return sockets;
  }

  // Those that are opened one by one, by themselves.
  static bool IsOpenedAlone(FilePlan::Kind kind) {
    return kind != FilePlan::Kind::kPipe && kind != FilePlan::Kind::kFifo &&
           kind != FilePlan::Kind::kUnixSocket;
  }

  Result<UniqueFd> OpenAlone(const FilePlan& file) {
    if (file.kind == FilePlan::Kind::kPath) return opener_.Open(file, file.flags);
    return file.kind == FilePlan::Kind::kTerminal ? OpenTerminal(file) : MakeEventFile(file);
  }

  void OpenDescription(uint32_t id) {
    const FilePlan& file = plans_.at(id);
    if (!IsOpenedAlone(file.kind) || files_.descriptions_.contains(id)) return;
    const bool has_path = file.kind == FilePlan::Kind::kPath;
    std::optional<UniqueFd> fd = Keep(OpenAlone(file));
    if (!fd) return;
    if (has_path) SetPosition(file, *fd);
    files_.descriptions_.emplace(id, std::move(*fd));
  }

  void SetPosition(const FilePlan& file, const UniqueFd& fd) {
    if ((file.flags & O_PATH) == 0 && file.position != 0 &&
        lseek(fd.get(), static_cast<off_t>(file.position), SEEK_SET) < 0) {
      const int saved = errno;
      findings_.Add(ErrnoError(saved, "{}: {}: lseek to {}", file.place, file.path, file.position));
    }
  }

  void OpenMapped(uint32_t id, int access) {
    if (files_.mapped_.contains({id, access}) || !tried_.insert({id, access}).second) return;
    if (auto fd = Keep(opener_.Open(plans_.at(id), access))) {
      files_.mapped_.emplace(std::pair(id, access), std::move(*fd));
    }
  }

  void OpenDirectory(uint32_t id) {
    if (files_.directories_.contains(id)) return;
    if (auto fd = Keep(opener_.Open(plans_.at(id), O_PATH | O_DIRECTORY))) {
      files_.directories_.emplace(id, std::move(*fd));
    }
  }

  std::vector<const FilePlan*> EndsOf(FilePlan::Kind kind, uint32_t pipe_id) const {
    std::vector<const FilePlan*> ends;
    for (const auto& [id, file] : plans_) {
      if (file.kind == kind && file.pipe_id == pipe_id) ends.push_back(&file);
    }
    return ends;
  }

  void KeepEnds(Result<std::map<uint32_t, UniqueFd>> ends) {
    auto made = findings_.Keep(std::move(ends));
    if (!made) return;
    for (auto& [id, end] : *made) {
      if (auto fd = Keep(std::move(end))) files_.descriptions_.emplace(id, std::move(*fd));
    }
  }

  const RestorePlan& plan_;
  const PathOpener& opener_;
  GhostMaker ghosts_;
  std::map<uint32_t, FilePlan> plans_ = plan_.files;
  Findings findings_;
  std::set<std::pair<uint32_t, int>> tried_;  // so that a missing file is told once
  OpenedFiles files_;
};

void OpenedFiles::MakeRoom(const RestorePlan& plan) {
  // Some are opened for mappings, too, and some are ours.
  constexpr uint64_t kOthers = 64;
  MakeRoomForDescriptors(static_cast<uint64_t>(FloorOf(plan)) + plan.files.size() + kOthers);
}

Result<OpenedFiles> OpenedFiles::Open(const RestorePlan& plan, const std::string& root,
                                      std::span<const SharedPages> pages_images,
                                      int network_namespace, pid_t mounts_of) {
  CKPT_TRY(const PathOpener opener, PathOpener::Create(root));
  return FileOpener(plan, opener, mounts_of).Open(pages_images, network_namespace);
}

RaisedDescriptorLimit::RaisedDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  soft_ = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

RaisedDescriptorLimit::~RaisedDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = soft_;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace ckpt
