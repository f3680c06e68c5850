// Members of an archive made into files, folders and links below a directory. Whatever is in the
// way of one there is another.
#ifndef IMGTOOL_MEMBER_TREE_H_
#define IMGTOOL_MEMBER_TREE_H_

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/result.h"
#include "imgtool/archive_reader.h"

namespace ckpt {

class MemberTree {
 public:
  // `directory` is empty and nobody else's. The reader outlives this object.
  MemberTree(ArchiveReader& reader, std::string directory)
      : reader_(reader), directory_(std::move(directory)) {}

  const std::string& directory() const { return directory_; }
  // Of a member, or "" for the directory itself.
  std::string PathOf(const std::string& member_path) const;

  // All that follows says kUnsupported where another member is in the way, and of folders more than
  // 16 deep.

  // The folder of that path, and those above it, where they are not there yet; of mode 0700.
  Result<> MakeFolders(const ArchiveMember& member, const std::string& folder);
  // A file of mode 0600 and of the member's size, all a hole.
  Result<UniqueFd> MakeFile(const ArchiveMember& member);
  // Fills it with what the reader, which is at this member, has of it.
  Result<> CopyContent(const ArchiveMember& member, const UniqueFd& fd);
  // A symbolic or a hard link, the latter to what is there already.
  Result<> MakeLink(const ArchiveMember& member);

  Error Refuse(const ArchiveMember& member, std::string_view why) const;

 private:
  Error Failed(int error_number, const ArchiveMember& member) const;
  Result<> MakeFoldersAbove(const ArchiveMember& member);

  ArchiveReader& reader_;
  std::string directory_;
  std::set<std::string> folders_;
};

// Where a hard link leads, as the path of another member.
std::string TargetOfHardLink(const ArchiveMember& member);

}  // namespace ckpt

#endif  // IMGTOOL_MEMBER_TREE_H_
