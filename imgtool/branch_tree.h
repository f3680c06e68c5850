// Files below one branch directory, as its union file system sees them: no symbolic link is
// followed, and what is mounted below the directory is not there.
#ifndef IMGTOOL_BRANCH_TREE_H_
#define IMGTOOL_BRANCH_TREE_H_

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

class BranchTree {
 public:
  // kNotFound where there is no such directory. Needs openat2(2), Linux 5.6.
  static Result<BranchTree> Open(const std::string& directory);

  const std::string& directory() const { return directory_; }
  std::string PathOf(const std::string& rest) const { return directory_ + rest; }

  // `rest` is "" for the branch itself, else "/x/y". Nothing where there is no such file, or where
  // a symbolic link or a mount lies on the way.
  Result<std::optional<struct stat>> Find(const std::string& rest) const;

  // For reading; kNotFound where Find() finds nothing.
  Result<UniqueFd> OpenForReading(const std::string& rest) const;

  // The value of an extended attribute of overlayfs, of both spellings ("trusted.overlay.NAME",
  // which only CAP_SYS_ADMIN sees, and "user.overlay.NAME"). Nothing where there is none.
  std::optional<std::string> OverlayAttribute(const std::string& rest, const char* name) const;

  // Names other than "" of the inode that `rest` has, below this branch, AUFS's own (.wh.*) left
  // out; sorted.
  Result<std::vector<std::string>> FindNamesOf(const struct stat& file) const;

 private:
  BranchTree(std::string directory, UniqueFd fd)
      : directory_(std::move(directory)), fd_(std::make_shared<UniqueFd>(std::move(fd))) {}

  Result<std::optional<UniqueFd>> OpenBelow(const std::string& rest, int flags) const;

  std::string directory_;
  std::shared_ptr<const UniqueFd> fd_;
};

}  // namespace ckpt

#endif  // IMGTOOL_BRANCH_TREE_H_
