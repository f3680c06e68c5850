#include "formats/dump_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/file.h"

namespace ckpt {
namespace {

// What a directory is, whatever path leads to it.
using DirectoryId = std::pair<dev_t, ino_t>;

Result<DirectoryId> IdentifyDirectory(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    int saved = errno;
    return ErrnoError(saved, "stat(\"{}\")", path);
  }
  return DirectoryId{status.st_dev, status.st_ino};
}

}  // namespace

Result<DumpDirectory> DumpDirectory::Open(std::string path) {
  DumpDirectory dump(std::move(path));
  CKPT_TRY(auto names, ListDirectory(dump.path_));
  for (std::string& name : names) {
    if (auto image = FindImageTypeByFileName(name)) {
      dump.images_.push_back({*image, std::move(name)});
    } else {
      dump.other_files_.push_back(std::move(name));
    }
  }
  return dump;
}

bool DumpDirectory::Has(ImageType type, uint64_t id) const {
  std::string name = ImageFileName(type, id);
  return std::ranges::binary_search(images_, name, {}, &DumpImage::file_name);
}

std::string DumpDirectory::PathOf(ImageType type, uint64_t id) const {
  return fmt::format("{}/{}", path_, ImageFileName(type, id));
}

Result<ImageFile> DumpDirectory::Read(ImageType type, uint64_t id) const {
  return ReadImageFile(PathOf(type, id), type);
}

Result<std::optional<ImageFile>> DumpDirectory::ReadIfPresent(ImageType type, uint64_t id) const {
  if (!Has(type, id)) return std::optional<ImageFile>();
  CKPT_TRY(ImageFile image, Read(type, id));
  return std::optional(std::move(image));
}

Result<std::optional<std::string>> DumpDirectory::FindParent() const {
  if (!std::ranges::binary_search(other_files_, kParentLink)) return std::optional<std::string>();
  std::string link = fmt::format("{}/{}", path_, kParentLink);
  CKPT_TRY(std::string target, ReadLink(link));
  if (target.starts_with('/')) {
    return MakeError(ErrorCode::kUnsupported, "{}: leads to {}, a relative path is allowed", link,
                     target);
  }
  return std::optional(fmt::format("{}/{}", path_, target));
}

Result<std::vector<DumpDirectory>> OpenDumpChain(const std::string& path) {
  std::vector<DumpDirectory> chain;
  std::set<DirectoryId> seen;
  std::optional<std::string> next = path;
  while (next) {
    CKPT_TRY(DirectoryId id, IdentifyDirectory(*next));
    if (!seen.insert(id).second) {
      return MakeError(ErrorCode::kBadFormat, "{}: parent links lead back to {}", path, *next);
    }
    if (chain.size() == kMaxDumpLayers) {
      return MakeError(ErrorCode::kUnsupported, "{}: more than {} dumps behind each other", path,
                       kMaxDumpLayers);
    }
    CKPT_TRY(DumpDirectory dump, DumpDirectory::Open(*next));
    chain.push_back(std::move(dump));
    CKPT_TRY(next, chain.back().FindParent());
  }
  return chain;
}

}  // namespace ckpt
