#include "imgtool/member_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>

namespace ckpt {

namespace {

// Dumps have one folder in another, at most.
constexpr std::ptrdiff_t kMaxDepth = 16;

}  // namespace

std::string MemberTree::PathOf(const std::string& member_path) const {
  return member_path.empty() ? directory_ : directory_ + "/" + member_path;
}

Error MemberTree::Refuse(const ArchiveMember& member, std::string_view why) const {
  return MakeError(ErrorCode::kUnsupported, "{}: member {}: {}", reader_.name(), member.path, why);
}

Error MemberTree::Failed(int error_number, const ArchiveMember& member) const {
  if (error_number == EEXIST) return Refuse(member, "a file that is there already");
  if (error_number == ENOTDIR) return Refuse(member, "below what is no folder");
  if (error_number == ENAMETOOLONG) return Refuse(member, "a name that is too long");
  return ErrnoError(error_number, "{}: member {}", reader_.name(), member.path);
}

Result<> MemberTree::MakeFolders(const ArchiveMember& member, const std::string& folder) {
  if (std::ranges::count(folder, '/') >= kMaxDepth) {
    return Refuse(member, fmt::format("more than {} folders deep", kMaxDepth));
  }
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

Result<> MemberTree::MakeFoldersAbove(const ArchiveMember& member) {
  const size_t slash = member.path.rfind('/');
  if (slash == std::string::npos) return success();
  return MakeFolders(member, member.path.substr(0, slash));
}

Result<UniqueFd> MemberTree::MakeFile(const ArchiveMember& member) {
  CKPT_TRY(MakeFoldersAbove(member));
  UniqueFd fd(open(PathOf(member.path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid() || ftruncate(fd.get(), static_cast<off_t>(member.size_bytes)) != 0) {
    const int saved = errno;
    return Failed(saved, member);
  }
  return fd;
}

Result<> MemberTree::CopyContent(const ArchiveMember& member, const UniqueFd& fd) {
  while (true) {
    CKPT_TRY(const auto piece, reader_.ReadPiece());
    if (!piece) return success();
    CKPT_TRY(WriteAllAt(fd.get(), piece->bytes, piece->offset, PathOf(member.path)));
  }
}

Result<> MemberTree::MakeLink(const ArchiveMember& member) {
  CKPT_TRY(MakeFoldersAbove(member));
  const std::string path = PathOf(member.path);
  const int made = member.type == TarType::kHardLink
                       ? link(PathOf(TargetOfHardLink(member)).c_str(), path.c_str())
                       : symlink(member.link.c_str(), path.c_str());
  if (made == 0) return success();
  const int saved = errno;
  return Failed(saved, member);
}

std::string TargetOfHardLink(const ArchiveMember& member) {
  return std::filesystem::path(member.link).lexically_normal().string();
}

}  // namespace ckpt
