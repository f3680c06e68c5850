#include "imgtool/stage_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "imgtool/place_file.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kNewFileMode = 0644;

Result<struct stat> LinkStatus(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "lstat(\"{}\")", path);
  }
  return status;
}

Result<> Sync(int fd, const std::string& name) {
  if (fsync(fd) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "fsync({})", name);
}

struct Member {
  std::string name;
  bool is_file;  // known to be a regular one without another call
};

// In the order of bytes. Dumps may have tens of thousands of files, whose kind the directory tells.
Result<std::vector<Member>> ListMembers(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (!directory) {
    const int saved = errno;
    return ErrnoError(saved, "opendir(\"{}\")", path);
  }
  std::vector<Member> members;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    const int saved = errno;
    if (entry == nullptr && saved != 0) return ErrnoError(saved, "readdir(\"{}\")", path);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      members.push_back({std::string(name), entry->d_type == DT_REG});
    }
  }
  std::ranges::sort(members, {}, &Member::name);
  return members;
}

// A relative link's text, such that it leads to the same place from `to_directory`.
std::string AdjustedLink(const std::string& target, const fs::path& from_directory,
                         const fs::path& to_directory) {
  if (target.starts_with('/')) return target;
  const fs::path meant = (from_directory / target).lexically_normal();
  const fs::path inside = meant.lexically_relative(from_directory.lexically_normal());
  if (!inside.empty() && *inside.begin() != "..") return target;
  return meant.lexically_relative(to_directory.lexically_normal()).string();
}

class Stager {
 public:
  Stager(const DirectoryStaging& places, const DumpChanges& changes)
      : places_(places), changes_(changes) {}

  Result<PlanOutcome> Run() {
    for (const auto& [name, content] : changes_.new_files) CKPT_TRY(WriteNew(name, content));
    CKPT_TRY(StageBelow(""));
    return outcome_;
  }

 private:
  // `below` is "" or "/x/y" under the dump. The staged directory is there already.
  Result<> StageBelow(const std::string& below) {
    CKPT_TRY(const auto members, ListMembers(places_.dump + below));
    for (const Member& member : members) CKPT_TRY(StageMember(below, member));
    return FinishDirectory(below);
  }

  Result<> StageMember(const std::string& below, const Member& member) {
    const std::string source = places_.dump + below + "/" + member.name;
    const bool is_top = below.empty();
    if (is_top && changes_.removed.contains(member.name)) return success();
    const auto edited = is_top ? changes_.edited.find(member.name) : changes_.edited.end();
    const std::string path = below + "/" + (is_top ? changes_.NameOf(member.name) : member.name);
    if (member.is_file && edited == changes_.edited.end()) return PlaceUnchanged(source, path);
    CKPT_TRY(const struct stat status, LinkStatus(source));
    if (edited != changes_.edited.end()) return WriteEdited(source, status, path, edited->second);
    if (S_ISREG(status.st_mode)) return PlaceUnchanged(source, path);
    if (S_ISLNK(status.st_mode)) return PlaceLink(source, status, below, path);
    if (S_ISDIR(status.st_mode)) return PlaceDirectory(path);
    return MakeError(ErrorCode::kUnsupported,
                     "{}: neither a file, a directory nor a symbolic link (mode {:#o})", source,
                     status.st_mode);
  }

  Result<> WriteNew(const std::string& name, const FileContent& content) {
    const std::string target = places_.staging + "/" + name;
    CKPT_TRY(const UniqueFd fd, OpenFile(target, O_WRONLY | O_CREAT | O_EXCL, kNewFileMode));
    CKPT_TRY(WriteContent(fd.get(), content, target));
    return Sync(fd.get(), target);
  }

  Result<> WriteEdited(const std::string& source, const struct stat& status,
                       const std::string& path, const FileContent& content) {
    if (!S_ISREG(status.st_mode)) {
      return MakeError(ErrorCode::kUnsupported,
                       "{}: a symbolic link or no file, which is not edited; put the image itself "
                       "in its place",
                       source);
    }
    const std::string target = places_.staging + path;
    CKPT_TRY(const UniqueFd fd, OpenFile(target, O_WRONLY | O_CREAT | O_EXCL, 0600));
    CKPT_TRY(WriteContent(fd.get(), content, target));
    CopyExtendedAttributes(source, fd.get());
    CKPT_TRY(CopyAttributes(fd.get(), status, target));
    return Sync(fd.get(), target);
  }

  Result<> PlaceUnchanged(const std::string& source, const std::string& path) {
    CKPT_TRY(const Placement placement, PlaceFile(source, places_.staging + path));
    switch (placement) {
      case Placement::kHardLinked:
        ++outcome_.linked;
        break;
      case Placement::kReflinked:
        ++outcome_.reflinked;
        break;
      case Placement::kCopied:
        ++outcome_.copied;
        break;
    }
    return success();
  }

  Result<> PlaceLink(const std::string& source, const struct stat& status, const std::string& below,
                     const std::string& path) {
    CKPT_TRY(const std::string target, ReadLink(source));
    const std::string adjusted = AdjustedLink(target, places_.dump + below, places_.out + below);
    const std::string staged = places_.staging + path;
    if (symlink(adjusted.c_str(), staged.c_str()) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "symlink(\"{}\", \"{}\")", adjusted, staged);
    }
    const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
    if (utimensat(AT_FDCWD, staged.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "utimensat(\"{}\")", staged);
    }
    return success();
  }

  Result<> PlaceDirectory(const std::string& path) {
    const std::string staged = places_.staging + path;
    if (mkdir(staged.c_str(), 0700) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "mkdir(\"{}\", 0700)", staged);
    }
    return StageBelow(path);
  }

  // At the end, since a directory's mode may forbid writing and its times change with its content.
  Result<> FinishDirectory(const std::string& below) {
    const std::string source = places_.dump + below;
    CKPT_TRY(const struct stat status, LinkStatus(source));
    const std::string target = places_.staging + below;
    CKPT_TRY(const UniqueFd fd, OpenFile(target, O_RDONLY | O_DIRECTORY));
    CopyExtendedAttributes(source, fd.get());
    CKPT_TRY(CopyAttributes(fd.get(), status, target));
    return Sync(fd.get(), target);
  }

  const DirectoryStaging& places_;
  const DumpChanges& changes_;
  PlanOutcome outcome_;
};

}  // namespace

Result<PlanOutcome> StageDirectory(const DirectoryStaging& places, const DumpChanges& changes) {
  return Stager(places, changes).Run();
}

}  // namespace ckpt
