#include "imgtool/archive_walk.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace ckpt {

namespace {

namespace fs = std::filesystem;

bool LeadsUpwards(const fs::path& path) {
  return path.is_absolute() || std::ranges::find(path, "..") != path.end();
}

// Where a link leads, seen from the top of the archive.
bool LeadsOut(const ArchiveWalk::Member& member) {
  const fs::path link = member.header.link;
  if (link.is_absolute()) return true;
  const bool is_hard = member.header.type == TarType::kHardLink;
  const fs::path from = is_hard ? fs::path() : fs::path(member.path).parent_path();
  const fs::path meant = (from / link).lexically_normal();
  return !meant.empty() && *meant.begin() == "..";
}

// Counts what is unpacked: a small file may unpack to more than any disk holds.
TarReader::Source LimitedSource(DecompressedReader* reader, std::string name, uint64_t limit) {
  return [reader, name = std::move(name), limit,
          read_bytes = uint64_t{0}](std::span<std::byte> buffer) mutable -> Result<size_t> {
    CKPT_TRY(const size_t got, reader->Read(buffer));
    read_bytes += got;
    if (read_bytes <= limit) return got;
    return MakeError(ErrorCode::kUnsupported,
                     "{}: more than {} bytes unpacked (--max-unpacked raises this)", name, limit);
  };
}

}  // namespace

Result<std::string> MemberPath(const TarMember& member) {
  if (LeadsUpwards(member.name)) {
    return MakeError(ErrorCode::kUnsupported, "member {}: a path that leads out of the archive",
                     member.name);
  }
  std::string path = fs::path(member.name).lexically_normal().string();
  while (path.ends_with('/')) path.pop_back();
  return path == "." ? std::string() : path;
}

ArchiveWalk::ArchiveWalk(std::string name, const ArchiveLimits& limits,
                         std::unique_ptr<DecompressedReader> reader)
    : name_(std::move(name)),
      limits_(limits),
      reader_(std::move(reader)),
      tar_(std::make_unique<TarReader>(
          name_, LimitedSource(reader_.get(), name_, limits.max_unpacked_bytes))) {}

Result<ArchiveWalk> ArchiveWalk::Open(int fd, const std::string& name,
                                      const ArchiveLimits& limits) {
  if (lseek(fd, 0, SEEK_SET) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "lseek({}, 0)", name);
  }
  CKPT_TRY(auto reader, OpenDecompressed(fd, name));
  return ArchiveWalk(name, limits, std::move(reader));
}

Result<std::optional<ArchiveWalk::Member>> ArchiveWalk::Next() {
  CKPT_TRY(auto header, tar_->Next());
  if (!header) return std::optional<Member>();
  auto path = MemberPath(*header);
  if (path.has_error()) return std::move(path).error().In(name_);
  Member member{std::move(*header), std::move(path).value()};
  CKPT_TRY(Check(member));
  return std::optional<Member>(std::move(member));
}

Result<> ArchiveWalk::Check(const Member& member) {
  const auto refuse = [&](std::string_view why) {
    return MakeError(ErrorCode::kUnsupported, "{}: member {}: {}", name_, member.header.name, why);
  };
  if (++member_count_ > limits_.max_members) {
    return MakeError(ErrorCode::kUnsupported,
                     "{}: more than {} members (--max-members raises this)", name_,
                     limits_.max_members);
  }
  switch (member.header.type) {
    case TarType::kFile:
    case TarType::kSparseFile:
      if (member.path.empty()) return refuse("a file without a name");
      if (!files_.insert(member.path).second) return refuse("a file that is there already");
      return success();
    case TarType::kDirectory:
      return success();
    case TarType::kHardLink:
    case TarType::kSymlink:
      if (LeadsOut(member)) return refuse("a link that leads out of the archive");
      return success();
    default:
      return refuse("a device or fifo, which has no place in a dump");
  }
}

}  // namespace ckpt
