#include "imgtool/storage/unpacked_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "imgtool/archive_rules.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

// Dumps have one folder in another, at most.
constexpr std::ptrdiff_t kMaxDepth = 16;
constexpr mode_t kKeptModeBits = 0777;
// What checkpoint/ is called while its files come to the top.
constexpr const char* kOutOfTheWay = ".imgtool-checkpoint";

// Links come last: until then no path leads through one. Attributes of folders come behind what
// changes them.
class Unpacking {
 public:
  Unpacking(ArchiveReader& reader, const std::string& directory)
      : reader_(reader), directory_(directory) {}

  Result<> Take(ArchiveMember member) {
    ++unpacked_.member_count;
    switch (member.type) {
      case TarType::kDirectory:
        CKPT_TRY(MakeFolders(member, member.path));
        folders_[member.path] = std::move(member);
        return success();
      case TarType::kHardLink:
      case TarType::kSymlink:
        links_.push_back(std::move(member));
        return success();
      default:
        return TakeFile(member);
    }
  }

  Result<UnpackedArchive> Finish() {
    for (const TarType type : {TarType::kHardLink, TarType::kSymlink}) {
      for (const ArchiveMember& link : links_) {
        if (link.type == type) CKPT_TRY(MakeLink(link));
      }
    }
    // An archive that is cut short may look like one that holds less, or nothing.
    CKPT_TRY(place_.IsInFolder(reader_.name()));
    // Those inside before those around them.
    for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
      if (folder->second) CKPT_TRY(SetAttributes(*folder->second, PathOf(folder->first)));
    }
    CKPT_TRY(BringToTop());
    CKPT_TRY(SyncAll());
    return unpacked_;
  }

 private:
  std::string PathOf(const std::string& member_path) const {
    return member_path.empty() ? directory_ : directory_ + "/" + member_path;
  }

  // What the member collides with is another member.
  Error Failed(int error_number, const ArchiveMember& member) const {
    if (error_number == EEXIST || error_number == ENOTDIR) {
      return MakeError(
          ErrorCode::kUnsupported, "{}: member {}: {}", reader_.name(), member.path,
          error_number == EEXIST ? "a file that is there already" : "below what is no folder");
    }
    return ErrnoError(error_number, "{}: member {}", reader_.name(), member.path);
  }

  Result<> MakeFolders(const ArchiveMember& member, const std::string& folder) {
    if (std::ranges::count(folder, '/') >= kMaxDepth) {
      return MakeError(ErrorCode::kUnsupported, "{}: member {}: more than {} folders deep",
                       reader_.name(), member.path, kMaxDepth);
    }
    for (size_t end = 0; end != std::string::npos && !folder.empty();) {
      end = folder.find('/', end + 1);
      const std::string path = folder.substr(0, end);
      if (folders_.contains(path)) continue;
      if (mkdir(PathOf(path).c_str(), 0700) != 0) {
        const int saved = errno;
        return Failed(saved == EEXIST ? ENOTDIR : saved, member);
      }
      folders_.emplace(path, std::nullopt);
    }
    return success();
  }

  Result<> MakeFoldersAbove(const ArchiveMember& member) {
    const size_t slash = member.path.rfind('/');
    return slash == std::string::npos ? Result<>(success())
                                      : MakeFolders(member, member.path.substr(0, slash));
  }

  Result<> TakeFile(const ArchiveMember& member) {
    place_.Add(member.path);
    CKPT_TRY(MakeFoldersAbove(member));
    const std::string path = PathOf(member.path);
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const int saved = errno;
    if (!fd.valid()) return Failed(saved, member);
    while (true) {
      CKPT_TRY(const auto piece, reader_.ReadPiece());
      if (!piece) break;
      CKPT_TRY(WriteAllAt(fd.get(), piece->bytes, piece->offset, path));
    }
    // A hole at the end.
    if (ftruncate(fd.get(), static_cast<off_t>(member.size_bytes)) != 0) {
      const int failed = errno;
      return Failed(failed, member);
    }
    unpacked_.size_bytes += member.size_bytes;
    return SetAttributes(member, path);
  }

  Result<> MakeLink(const ArchiveMember& member) {
    CKPT_TRY(MakeFoldersAbove(member));
    const std::string path = PathOf(member.path);
    const bool is_hard = member.type == TarType::kHardLink;
    const std::string target =
        is_hard ? PathOf(fs::path(member.link).lexically_normal().string()) : member.link;
    const int made =
        is_hard ? link(target.c_str(), path.c_str()) : symlink(target.c_str(), path.c_str());
    const int saved = errno;
    if (made != 0) return Failed(saved, member);
    return is_hard ? Result<>(success()) : SetAttributes(member, path);
  }

  Result<> SetAttributes(const ArchiveMember& member, const std::string& path) const {
    const bool is_link = member.type == TarType::kSymlink;
    // Without the privilege (EPERM), or a name for that owner in a user namespace (EINVAL), it
    // stays ours.
    if (lchown(path.c_str(), member.uid, member.gid) != 0 && errno != EPERM && errno != EINVAL) {
      const int saved = errno;
      return ErrnoError(saved, "lchown(\"{}\", {}, {})", path, member.uid, member.gid);
    }
    if (!is_link && chmod(path.c_str(), member.mode & kKeptModeBits) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "chmod(\"{}\")", path);
    }
    const std::array<timespec, 2> times{member.modified, member.modified};
    if (utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "utimensat(\"{}\")", path);
    }
    return success();
  }

  Result<> BringToTop() {
    CKPT_TRY(const auto top, ListDirectory(directory_));
    const auto folder = folders_.find(kCheckpointFolder);
    if (top.size() != 1 || folder == folders_.end()) return success();
    const std::string moved = PathOf(kOutOfTheWay);
    CKPT_TRY(Rename(PathOf(kCheckpointFolder), moved));
    CKPT_TRY(const auto names, ListDirectory(moved));
    for (const std::string& name : names) CKPT_TRY(Rename(moved + "/" + name, PathOf(name)));
    if (rmdir(moved.c_str()) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "rmdir(\"{}\")", moved);
    }
    return folder->second ? SetAttributes(*folder->second, directory_) : Result<>(success());
  }

  static Result<> Rename(const std::string& from, const std::string& to) {
    if (rename(from.c_str(), to.c_str()) == 0) return success();
    const int saved = errno;
    return ErrnoError(saved, "rename(\"{}\", \"{}\")", from, to);
  }

  // Of thousands of images each would take milliseconds by itself.
  Result<> SyncAll() const {
    CKPT_TRY(const UniqueFd fd, OpenFile(directory_, O_RDONLY | O_DIRECTORY));
    if (syncfs(fd.get()) == 0) return success();
    const int saved = errno;
    return ErrnoError(saved, "syncfs(\"{}\")", directory_);
  }

  ArchiveReader& reader_;
  const std::string& directory_;
  UnpackedArchive unpacked_;
  ImagePlace place_;
  std::map<std::string, std::optional<ArchiveMember>> folders_;  // nothing of those not listed
  std::vector<ArchiveMember> links_;
};

}  // namespace

Result<UnpackedArchive> UnpackArchive(ArchiveReader& reader, const std::string& directory) {
  Unpacking unpacking(reader, directory);
  while (true) {
    CKPT_TRY(auto member, reader.Next());
    if (!member) return unpacking.Finish();
    CKPT_TRY(unpacking.Take(std::move(*member)));
  }
}

}  // namespace ckpt
