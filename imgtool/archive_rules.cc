#include "imgtool/archive_rules.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "formats/image_type.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// All names are held in memory; dumps of thousands of processes have a few megabytes of them.
constexpr uint64_t kMaxNameBytes = uint64_t{64} << 20;

constexpr std::string_view kFolderPrefix = "checkpoint/";

bool LeadsUpwards(const fs::path& path) {
  return path.is_absolute() || std::ranges::find(path, "..") != path.end();
}

std::string PathFromTop(const std::string& member) {
  std::string path = fs::path(member).lexically_normal().string();
  while (path.ends_with('/')) path.pop_back();
  return path == "." ? std::string() : path;
}

// Where a link leads, seen from the top of the archive.
bool LeadsOut(const fs::path& from, const fs::path& link) {
  if (link.is_absolute()) return true;
  const fs::path meant = (from / link).lexically_normal();
  return !meant.empty() && *meant.begin() == "..";
}

// Behind a name that is another link ".." leads to the folder above that link's target, which may
// be higher up than it looks.
bool TurnsBack(const fs::path& link) {
  const auto first_name = std::ranges::find_if_not(
      link, [](const fs::path& part) { return part == ".." || part == "."; });
  return std::find(first_name, link.end(), "..") != link.end();
}

}  // namespace

ArchiveRules::ArchiveRules(std::string name, const ArchiveLimits& limits)
    : name_(std::move(name)), limits_(limits) {}

Result<std::string> ArchiveRules::Admit(const std::string& member, TarType type,
                                        const std::string& link) {
  const auto refuse = [&](std::string_view why) {
    return MakeError(ErrorCode::kUnsupported, "{}: member {}: {}", name_, member, why);
  };
  if (++member_count_ > limits_.max_members) {
    return MakeError(ErrorCode::kUnsupported,
                     "{}: more than {} members (--max-members raises this)", name_,
                     limits_.max_members);
  }
  name_bytes_ += member.size() + link.size();
  if (name_bytes_ > kMaxNameBytes) {
    return MakeError(ErrorCode::kUnsupported, "{}: more than {} bytes of names", name_,
                     kMaxNameBytes);
  }
  if (LeadsUpwards(member)) return refuse("a path that leads out of the archive");
  std::string path = PathFromTop(member);
  switch (type) {
    case TarType::kFile:
    case TarType::kSparseFile:
      if (path.empty()) return refuse("a file without a name");
      if (!files_.insert(path).second) return refuse("a file that is there already");
      return path;
    case TarType::kDirectory:
      return path;
    case TarType::kHardLink:
      if (LeadsOut({}, link)) return refuse("a link that leads out of the archive");
      return path;
    case TarType::kSymlink:
      if (LeadsOut(fs::path(path).parent_path(), link)) {
        return refuse("a link that leads out of the archive");
      }
      if (TurnsBack(link)) return refuse("a link with .. behind a name, which may lead out");
      return path;
    default:
      return refuse("a device or fifo, which has no place in a dump");
  }
}

Result<> ArchiveRules::CheckUnpacked(uint64_t unpacked_bytes, uint64_t packed_bytes) const {
  if (unpacked_bytes > limits_.max_unpacked_bytes) {
    return MakeError(ErrorCode::kUnsupported,
                     "{}: more than {} bytes unpacked (--max-unpacked raises this)", name_,
                     limits_.max_unpacked_bytes);
  }
  if (unpacked_bytes > kRatioFreeBytes && unpacked_bytes / limits_.max_ratio > packed_bytes) {
    return MakeError(ErrorCode::kUnsupported,
                     "{}: {} bytes unpack to {}, more than {} times as many (--max-ratio raises "
                     "this)",
                     name_, packed_bytes, unpacked_bytes, limits_.max_ratio);
  }
  return success();
}

bool ImagePlace::HasEntries(std::string_view member_path) {
  if (member_path.starts_with(kFolderPrefix)) member_path.remove_prefix(kFolderPrefix.size());
  const auto image = FindImageTypeByFileName(member_path);
  if (!image) return false;
  const ImageFraming framing = GetImageType(image->type).framing;
  return framing == ImageFraming::kEntries || framing == ImageFraming::kHeadThenEntries;
}

void ImagePlace::Add(std::string_view member_path) {
  if (!HasEntries(member_path)) return;
  (member_path.starts_with(kFolderPrefix) ? in_folder_ : at_top_) = true;
}

Result<bool> ImagePlace::IsInFolder(std::string_view archive) const {
  if (in_folder_ && at_top_) {
    return MakeError(ErrorCode::kUnsupported, "{}: images both at the top and in {}", archive,
                     kFolderPrefix);
  }
  if (!in_folder_ && !at_top_) {
    return MakeError(ErrorCode::kBadFormat, "{}: no image of a dump, neither at the top nor in {}",
                     archive, kFolderPrefix);
  }
  return in_folder_;
}

}  // namespace ckpt
