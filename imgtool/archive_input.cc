#include "imgtool/archive_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "base/file.h"
#include "imgtool/archive_reader.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// Dumps have one folder in another, at most.
constexpr std::ptrdiff_t kMaxDepth = 16;

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Makes files of members. Links come last: until then no path leads through one.
class Unpacking {
 public:
  Unpacking(ArchiveReader& reader, FileNeed need, const std::string& directory)
      : reader_(reader), need_(need), directory_(directory) {}

  Result<> Take(ArchiveMember member) {
    switch (member.type) {
      case TarType::kDirectory:
        return MakeFolders(member, member.path);
      case TarType::kHardLink:
      case TarType::kSymlink:
        links_.push_back(std::move(member));
        return success();
      default:
        place_.Add(member.path);
        return TakeFile(member);
    }
  }

  Result<std::string> Finish() {
    for (const ArchiveMember& link : links_) {
      if (link.type == TarType::kHardLink) CKPT_TRY(MakeHardLink(link));
    }
    for (const ArchiveMember& link : links_) {
      if (link.type == TarType::kSymlink) CKPT_TRY(MakeSymlink(link));
    }
    for (const ArchiveMember& link : links_) CKPT_TRY(CheckTarget(link));
    CKPT_TRY(const bool is_in_folder, place_.IsInFolder(reader_.name()));
    return is_in_folder ? PathOf(kCheckpointFolder) : directory_;
  }

 private:
  std::string PathOf(const std::string& member_path) const {
    return directory_ + "/" + member_path;
  }

  Error Refuse(const ArchiveMember& member, std::string_view why) const {
    return MakeError(ErrorCode::kUnsupported, "{}: member {}: {}", reader_.name(), member.path,
                     why);
  }

  // What the member collides with is another member, never anything of ours.
  Error Failed(int error_number, const ArchiveMember& member) const {
    if (error_number == EEXIST) return Refuse(member, "a file that is there already");
    if (error_number == ENOTDIR) return Refuse(member, "below what is no folder");
    if (error_number == ENAMETOOLONG) return Refuse(member, "a name that is too long");
    return ErrnoError(error_number, "{}: member {}", reader_.name(), member.path);
  }

  Result<> MakeFolders(const ArchiveMember& member, const std::string& folder) {
    if (std::ranges::count(folder, '/') >= kMaxDepth)
      return Refuse(member, "too many folders deep");
    for (size_t end = 0; end != std::string::npos && !folder.empty();) {
      end = folder.find('/', end + 1);
      const std::string path = folder.substr(0, end);
      if (folders_.contains(path)) continue;
      if (mkdir(PathOf(path).c_str(), 0700) != 0) {
        const int saved = errno;
        return Failed(saved == EEXIST ? ENOTDIR : saved, member);
      }
      folders_.insert(path);
    }
    return success();
  }

  Result<> MakeFoldersAbove(const ArchiveMember& member) {
    const size_t slash = member.path.rfind('/');
    if (slash == std::string::npos) return success();
    return MakeFolders(member, member.path.substr(0, slash));
  }

  Result<> TakeFile(const ArchiveMember& member) {
    CKPT_TRY(MakeFoldersAbove(member));
    const UniqueFd fd(
        open(PathOf(member.path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) {
      const int saved = errno;
      return Failed(saved, member);
    }
    if (ftruncate(fd.get(), static_cast<off_t>(member.size_bytes)) != 0) {
      const int saved = errno;
      return Failed(saved, member);
    }
    if (!need_(NameOf(member.path))) return reader_.PassOver();
    unpacked_.insert(member.path);
    return CopyData(member, fd.get());
  }

  Result<> CopyData(const ArchiveMember& member, int fd) {
    while (true) {
      CKPT_TRY(const auto piece, reader_.ReadPiece());
      if (!piece) return success();
      CKPT_TRY(WriteAllAt(fd, piece->bytes, piece->offset, PathOf(member.path)));
    }
  }

  // Nobody is to read the zeros that stand for what is not needed.
  Result<> CheckTarget(const ArchiveMember& link) const {
    std::error_code none;
    const fs::path path = fs::canonical(PathOf(link.path), none);
    if (none || !fs::is_regular_file(path, none) || !need_(NameOf(link.path))) return success();
    const std::string target = path.lexically_relative(fs::canonical(directory_, none)).string();
    if (unpacked_.contains(target)) return success();
    return Refuse(link, fmt::format("a link to {}, which is not needed itself", link.link));
  }

  Result<> MakeHardLink(const ArchiveMember& member) {
    CKPT_TRY(MakeFoldersAbove(member));
    const std::string target = fs::path(member.link).lexically_normal().string();
    if (link(PathOf(target).c_str(), PathOf(member.path).c_str()) != 0) {
      const int saved = errno;
      return Failed(saved, member);
    }
    place_.Add(member.path);
    if (unpacked_.contains(target)) unpacked_.insert(member.path);
    return success();
  }

  Result<> MakeSymlink(const ArchiveMember& member) {
    CKPT_TRY(MakeFoldersAbove(member));
    if (symlink(member.link.c_str(), PathOf(member.path).c_str()) != 0) {
      const int saved = errno;
      return Failed(saved, member);
    }
    return success();
  }

  ArchiveReader& reader_;
  FileNeed need_;
  const std::string& directory_;
  ImagePlace place_;
  std::set<std::string> folders_;
  std::set<std::string> unpacked_;
  std::vector<ArchiveMember> links_;
};

}  // namespace

Result<std::string> UnpackDump(InputSource& source, const ArchiveLimits& limits, FileNeed need,
                               const std::string& directory) {
  CKPT_TRY(const auto reader, ArchiveReader::Open(source, limits));
  Unpacking unpacking(*reader, need, directory);
  while (true) {
    CKPT_TRY(auto member, reader->Next());
    if (!member) return unpacking.Finish();
    CKPT_TRY(unpacking.Take(std::move(*member)));
  }
}

}  // namespace ckpt
