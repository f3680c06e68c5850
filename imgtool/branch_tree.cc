#include "imgtool/branch_tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace ckpt {

namespace {

namespace fs = std::filesystem;

// The longest value that overlayfs writes is a redirect, a path.
constexpr size_t kLongestAttributeBytes = 4096;

bool IsAbsence(int error) {
  // ELOOP: a symbolic link on the way; EXDEV: a mount.
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EXDEV;
}

// Whether another file system is mounted there. Device numbers do not tell: in an overlay of layers
// on several file systems those of files are others than those of their directories.
bool IsMountpoint(int directory, const std::string& name) {
  struct statx status {};
  return statx(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, 0, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace

Result<BranchTree> BranchTree::Open(const std::string& directory) {
  CKPT_TRY(UniqueFd fd, OpenFile(directory, O_PATH | O_DIRECTORY));
  return BranchTree(directory, std::move(fd));
}

Result<std::optional<UniqueFd>> BranchTree::OpenBelow(const std::string& rest, int flags) const {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const std::string name = rest.empty() ? "." : rest.substr(1);
  UniqueFd file(
      static_cast<int>(syscall(SYS_openat2, fd_->get(), name.c_str(), &how, sizeof(how))));
  const int saved = errno;
  if (file.valid()) return std::optional<UniqueFd>(std::move(file));
  if (IsAbsence(saved)) return std::optional<UniqueFd>();
  return ErrnoError(saved, "openat2(\"{}\", \"{}\", RESOLVE_BENEATH)", directory_, name);
}

// By its parent: a symbolic link at the end is a file like others, which openat2 would refuse.
Result<std::optional<struct stat>> BranchTree::Find(const std::string& rest) const {
  const std::string parent = rest.substr(0, rest.empty() ? 0 : rest.rfind('/'));
  CKPT_TRY(const auto directory, OpenBelow(parent, O_PATH | O_DIRECTORY));
  if (!directory) return std::optional<struct stat>();
  const std::string name = rest.empty() ? "." : rest.substr(parent.size() + 1);
  if (!rest.empty() && IsMountpoint(directory->get(), name)) return std::optional<struct stat>();
  struct stat status {};
  if (fstatat(directory->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    const int saved = errno;
    if (IsAbsence(saved)) return std::optional<struct stat>();
    return ErrnoError(saved, "fstatat(\"{}\", \"{}\")", directory_ + parent, name);
  }
  return std::optional<struct stat>(status);
}

Result<UniqueFd> BranchTree::OpenForReading(const std::string& rest) const {
  CKPT_TRY(auto file, OpenBelow(rest, O_RDONLY | O_NONBLOCK));
  if (file) return std::move(*file);
  return MakeError(ErrorCode::kNotFound, "{}{} is not there", directory_, rest);
}

std::optional<std::string> BranchTree::OverlayAttribute(const std::string& rest,
                                                        const char* name) const {
  auto file = OpenBelow(rest, O_PATH);
  if (file.has_error() || !file.value()) return std::nullopt;
  // The f* calls refuse O_PATH descriptors.
  const std::string path = fmt::format("/proc/self/fd/{}", file.value()->get());
  for (const char* space : {"trusted", "user"}) {
    std::array<char, kLongestAttributeBytes> value{};
    const std::string full = fmt::format("{}.overlay.{}", space, name);
    const ssize_t size = getxattr(path.c_str(), full.c_str(), value.data(), value.size());
    if (size >= 0) return std::string(value.data(), static_cast<size_t>(size));
  }
  return std::nullopt;
}

Result<std::vector<std::string>> BranchTree::FindNamesOf(const struct stat& file) const {
  std::vector<std::string> names;
  std::error_code problem;
  fs::recursive_directory_iterator at(directory_, problem);
  for (; !problem && at != fs::recursive_directory_iterator(); at.increment(problem)) {
    const std::string path = at->path().string();
    if (at->path().filename().string().starts_with(".wh.")) {
      at.disable_recursion_pending();
      continue;
    }
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode) && IsMountpoint(AT_FDCWD, path)) at.disable_recursion_pending();
    if (status.st_ino == file.st_ino && status.st_dev == file.st_dev) {
      names.push_back(path.substr(directory_.size()));
    }
  }
  if (problem)
    return ErrnoError(problem.value(), "reading the directories below \"{}\"", directory_);
  std::ranges::sort(names);
  return names;
}

}  // namespace ckpt
