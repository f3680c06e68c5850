#include "imgtool/archive_input.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file.h"
#include "imgtool/archive_reader.h"
#include "imgtool/member_tree.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Makes files of members. Links come last: until then no path leads through one.
class Unpacking {
 public:
  Unpacking(ArchiveReader& reader, FileNeed need, const std::string& directory)
      : reader_(reader), need_(need), tree_(reader, directory) {}

  Result<> Take(ArchiveMember member) {
    switch (member.type) {
      case TarType::kDirectory:
        return tree_.MakeFolders(member, member.path);
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
      if (link.type == TarType::kSymlink) CKPT_TRY(tree_.MakeLink(link));
    }
    for (const ArchiveMember& link : links_) CKPT_TRY(CheckTarget(link));
    CKPT_TRY(const bool is_in_folder, place_.IsInFolder(reader_.name()));
    return tree_.PathOf(is_in_folder ? kCheckpointFolder : "");
  }

 private:
  Result<> TakeFile(const ArchiveMember& member) {
    CKPT_TRY(const UniqueFd fd, tree_.MakeFile(member));
    if (!need_(NameOf(member.path))) return reader_.PassOver();
    unpacked_.insert(member.path);
    return tree_.CopyContent(member, fd);
  }

  // Nobody is to read the zeros that stand for what is not needed.
  Result<> CheckTarget(const ArchiveMember& link) const {
    std::error_code none;
    const fs::path path = fs::canonical(tree_.PathOf(link.path), none);
    if (none || !fs::is_regular_file(path, none) || !need_(NameOf(link.path))) return success();
    const fs::path directory = fs::canonical(tree_.directory(), none);
    if (unpacked_.contains(path.lexically_relative(directory).string())) return success();
    return tree_.Refuse(link, fmt::format("a link to {}, which is not needed itself", link.link));
  }

  Result<> MakeHardLink(const ArchiveMember& member) {
    CKPT_TRY(tree_.MakeLink(member));
    place_.Add(member.path);
    if (unpacked_.contains(TargetOfHardLink(member))) unpacked_.insert(member.path);
    return success();
  }

  ArchiveReader& reader_;
  FileNeed need_;
  MemberTree tree_;
  ImagePlace place_;
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
