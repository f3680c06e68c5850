#include "restorer/ghost_maker.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <utility>

#include "process/joined_namespaces.h"
#include "restorer/mount_calls.h"

namespace ckpt {

namespace {

constexpr int kMaxNames = 1'000;  // to try before giving up

struct SplitPath {
  std::string directory;
  std::string name;
};
SplitPath Split(const std::string& path) {
  const size_t slash = path.rfind('/');
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

Error GhostError(int error_number, const GhostPlan& ghost, std::string_view call) {
  return ErrnoError(error_number, "{}: {}, which had been deleted: {}", ghost.place, ghost.path,
                    call);
}

// Fails with EEXIST where the name is taken.
int MakeNode(const GhostPlan& ghost, int directory, const std::string& name) {
  if (S_ISDIR(ghost.mode)) return mkdirat(directory, name.c_str(), 0700);
  return mknodat(directory, name.c_str(), (ghost.mode & S_IFMT) | 0600, ghost.device);
}

// A name that nothing had.
Result<std::string> MakeUnderNewName(const GhostPlan& ghost, int directory) {
  for (int number = 0; number < kMaxNames; ++number) {
    std::string name = fmt::format(".ckpt-ghost-{}-{}-{}", getpid(), ghost.id, number);
    if (MakeNode(ghost, directory, name) == 0) return name;
    const int saved = errno;
    if (saved != EEXIST) return GhostError(saved, ghost, fmt::format("making {}", name));
  }
  return GhostError(EEXIST, ghost, "making a name for it");
}

Result<> PutContent(const GhostPlan& ghost, int directory, const std::string& name) {
  UniqueFd fd(openat(directory, name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  int saved = errno;
  if (!fd.valid()) return GhostError(saved, ghost, "open");
  for (const GhostChunkPlan& chunk : ghost.chunks) {
    CKPT_TRY(WriteAllAt(fd.get(), AsBytes(chunk.bytes), chunk.offset_bytes, ghost.path));
  }
  const int truncated = ftruncate(fd.get(), static_cast<off_t>(ghost.size_bytes));
  saved = errno;
  if (truncated != 0) {
    return GhostError(saved, ghost, fmt::format("ftruncate to {} bytes", ghost.size_bytes));
  }
  return success();
}

// The mode after the owner, who would take set-id bits away; the times last.
Result<> SetAttributes(const GhostPlan& ghost, int directory, const std::string& name) {
  if (fchownat(directory, name.c_str(), ghost.uid, ghost.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    const int saved = errno;
    return GhostError(saved, ghost, fmt::format("chown to {}:{}", ghost.uid, ghost.gid));
  }
  if (fchmodat(directory, name.c_str(), ghost.mode & 07777, 0) != 0) {
    const int saved = errno;
    return GhostError(saved, ghost, fmt::format("chmod to {:#o}", ghost.mode & 07777));
  }
  if (ghost.times &&
      utimensat(directory, name.c_str(), ghost.times->data(), AT_SYMLINK_NOFOLLOW) != 0) {
    const int saved = errno;
    return GhostError(saved, ghost, "utimensat");
  }
  return success();
}

}  // namespace

// What is in a directory goes before it, and a directory that was only made for that before the
// ghost that had its name.
GhostMaker::~GhostMaker() {
  std::map<std::pair<size_t, std::string>, std::function<void()>, std::greater<>> removals;
  for (const auto& [id, made] : made_) {
    removals[{made.original_path.size(), made.path}] = [&made = made] { Remove(made); };
  }
  for (const MadeDirectory& directory : directories_) {
    removals[{directory.path.size(), "\xff" + directory.path}] = [&directory] {
      unlinkat(directory.parent.get(), directory.name.c_str(), AT_REMOVEDIR);
    };
  }
  for (const auto& [order, remove] : removals) remove();
}

void GhostMaker::Remove(const Made& made) {
  const int directory = made.directory.get();
  const bool renamed = renameat2(directory, made.name.c_str(), directory,
                                 made.original_name.c_str(), RENAME_NOREPLACE) == 0;
  const std::string& name = renamed ? made.original_name : made.name;
  unlinkat(directory, name.c_str(), made.is_directory ? AT_REMOVEDIR : 0);
}

Result<UniqueFd> GhostMaker::OpenDirectory(const GhostPlan& ghost, const std::string& path,
                                           const PathOpener& opener) {
  FilePlan wanted;
  wanted.place = ghost.place;
  wanted.path = path;
  Result<UniqueFd> opened = opener.Open(wanted, O_PATH | O_DIRECTORY);
  if (opened.has_value() || path == "/" || opened.error().code != ErrorCode::kNotFound) {
    return opened;
  }
  const SplitPath split = Split(path);
  CKPT_TRY(UniqueFd opened_parent, OpenDirectory(ghost, split.directory, opener));
  CKPT_TRY(UniqueFd parent, Writable(ghost, std::move(opened_parent)));
  if (mkdirat(parent.get(), split.name.c_str(), 0700) != 0) {
    const int saved = errno;
    return GhostError(saved, ghost, fmt::format("mkdir {}", path));
  }
  directories_.push_back({std::move(parent), path, split.name});
  return opener.Open(wanted, O_PATH | O_DIRECTORY);
}

// The directory on its mount, or, where that is read-only, on a copy of it that is attached nowhere
// and gone with the descriptor. The kernel copies mounts of the caller's namespace only.
Result<UniqueFd> GhostMaker::Writable(const GhostPlan& ghost, UniqueFd directory) const {
  struct statvfs status {};
  if (fstatvfs(directory.get(), &status) != 0) {
    const int saved = errno;
    return GhostError(saved, ghost, "fstatvfs of its directory");
  }
  if ((status.f_flag & ST_RDONLY) == 0) return directory;
  UniqueFd copy;
  const int joined = mounts_of_ == 0 ? 0 : CLONE_NEWNS;
  CKPT_TRY(RunInNamespacesOf(mounts_of_, joined, [&]() -> Result<> {
    CKPT_TRY(copy, CloneMount(ghost.place, directory.get()));
    return SetMount(ghost.place, copy.get(), 0, 0);
  }));
  return copy;
}

Result<> GhostMaker::Make(const GhostPlan& ghost, const PathOpener& opener) {
  const SplitPath split = Split(ghost.path);
  Made made{.directory = {},
            .path = {},
            .name = {},
            .original_path = ghost.path,
            .original_name = split.name,
            .is_directory = S_ISDIR(ghost.mode)};
  CKPT_TRY(UniqueFd directory, OpenDirectory(ghost, split.directory, opener));
  CKPT_TRY(made.directory, Writable(ghost, std::move(directory)));
  CKPT_TRY(made.name, MakeUnderNewName(ghost, made.directory.get()));
  made.path = fmt::format("{}/{}", split.directory == "/" ? "" : split.directory, made.name);
  const auto& kept = made_.emplace(ghost.id, std::move(made)).first->second;
  if (S_ISREG(ghost.mode)) {
    CKPT_TRY(PutContent(ghost, kept.directory.get(), kept.name));
  }
  return SetAttributes(ghost, kept.directory.get(), kept.name);
}

std::string GhostMaker::PathOf(const FilePlan& file) const {
  const auto made = made_.find(file.ghost_id);
  return made == made_.end() ? file.path : made->second.path;
}

}  // namespace ckpt
