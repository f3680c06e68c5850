#include "imgtool/storage/unpacked_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "base/file.h"
#include "imgtool/archive_rules.h"
#include "imgtool/member_tree.h"

namespace ckpt {

namespace {

constexpr mode_t kKeptModeBits = 0777;
// What checkpoint/ is called while its files come to the top.
constexpr const char* kOutOfTheWay = ".imgtool-checkpoint";

// Links come last: until then no path leads through one. Attributes of folders come behind what
// changes them.
class Unpacking {
 public:
  Unpacking(ArchiveReader& reader, const std::string& directory)
      : reader_(reader), tree_(reader, directory) {}

  Result<> Take(ArchiveMember member) {
    ++unpacked_.member_count;
    switch (member.type) {
      case TarType::kDirectory:
        return TakeFolder(std::move(member));
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
      CKPT_TRY(SetAttributes(folder->second, PathOf(folder->first)));
    }
    CKPT_TRY(BringToTop());
    CKPT_TRY(SyncAll());
    return unpacked_;
  }

 private:
  std::string PathOf(const std::string& member_path) const { return tree_.PathOf(member_path); }

  Result<> TakeFolder(ArchiveMember member) {
    CKPT_TRY(tree_.MakeFolders(member, member.path));
    folders_[member.path] = std::move(member);
    return success();
  }

  Result<> TakeFile(const ArchiveMember& member) {
    place_.Add(member.path);
    CKPT_TRY(const UniqueFd fd, tree_.MakeFile(member));
    CKPT_TRY(tree_.CopyContent(member, fd));
    unpacked_.size_bytes += member.size_bytes;
    return SetAttributes(member, PathOf(member.path));
  }

  Result<> MakeLink(const ArchiveMember& member) {
    CKPT_TRY(tree_.MakeLink(member));
    if (member.type == TarType::kHardLink) return success();
    return SetAttributes(member, PathOf(member.path));
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
    CKPT_TRY(const auto top, ListDirectory(tree_.directory()));
    if (top != std::vector<std::string>{kCheckpointFolder}) return success();
    const std::string moved = PathOf(kOutOfTheWay);
    CKPT_TRY(Rename(PathOf(kCheckpointFolder), moved));
    CKPT_TRY(const auto names, ListDirectory(moved));
    for (const std::string& name : names) CKPT_TRY(Rename(moved + "/" + name, PathOf(name)));
    if (rmdir(moved.c_str()) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "rmdir(\"{}\")", moved);
    }
    const auto folder = folders_.find(kCheckpointFolder);
    if (folder == folders_.end()) return success();
    return SetAttributes(folder->second, tree_.directory());
  }

  static Result<> Rename(const std::string& from, const std::string& to) {
    if (rename(from.c_str(), to.c_str()) == 0) return success();
    const int saved = errno;
    return ErrnoError(saved, "rename(\"{}\", \"{}\")", from, to);
  }

  // Of thousands of images each would take milliseconds by itself.
  Result<> SyncAll() const {
    CKPT_TRY(const UniqueFd fd, OpenFile(tree_.directory(), O_RDONLY | O_DIRECTORY));
    if (syncfs(fd.get()) == 0) return success();
    const int saved = errno;
    return ErrnoError(saved, "syncfs(\"{}\")", tree_.directory());
  }

  ArchiveReader& reader_;
  MemberTree tree_;
  UnpackedArchive unpacked_;
  ImagePlace place_;
  std::map<std::string, ArchiveMember> folders_;  // those that are members
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
