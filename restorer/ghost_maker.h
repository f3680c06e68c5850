// Makes files that had no name left: with one for as long as they are opened, in the directory
// where they were.
#ifndef RESTORER_GHOST_MAKER_H_
#define RESTORER_GHOST_MAKER_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "restorer/path_opener.h"
#include "restorer/restore_plan.h"

namespace ckpt {

class GhostMaker {
 public:
  // In the mount namespace of the process `mounts_of`, or in ours where it is 0.
  explicit GhostMaker(pid_t mounts_of = 0) : mounts_of_(mounts_of) {}
  GhostMaker(const GhostMaker&) = delete;
  GhostMaker& operator=(const GhostMaker&) = delete;
  // Removes all names that were made, and no other: those who have the files open keep them, and
  // see their old name as a deleted one where nobody else has it now.
  ~GhostMaker();

  // Makes the file, complete, under a name that nothing had, and what is missing of the directories
  // above it. Nothing that exists is touched but the directory. That its mount is read-only does
  // not matter, that its file system is does.
  Result<> Make(const GhostPlan& ghost, const PathOpener& opener);

  // The path at which `file`, whose ghost was made, can be opened until this ends.
  std::string PathOf(const FilePlan& file) const;

 private:
  struct Made {
    UniqueFd directory;         // writable
    std::string path;           // where it can be opened
    std::string name;           // of that, in the directory
    std::string original_path;  // that the dump says
    std::string original_name;
    bool is_directory = false;
  };
  struct MadeDirectory {
    UniqueFd parent;
    std::string path;
    std::string name;
  };

  Result<UniqueFd> OpenDirectory(const GhostPlan& ghost, const std::string& path,
                                 const PathOpener& opener);
  Result<UniqueFd> Writable(const GhostPlan& ghost, UniqueFd directory) const;
  static void Remove(const Made& made);

  pid_t mounts_of_;
  std::map<uint32_t, Made> made_;  // by ghost
  std::vector<MadeDirectory> directories_;
};

}  // namespace ckpt

#endif  // RESTORER_GHOST_MAKER_H_
