// Builds the changed dump directory in a staging place.
#ifndef IMGTOOL_STAGE_DIRECTORY_H_
#define IMGTOOL_STAGE_DIRECTORY_H_

#include <string>

#include "base/result.h"
#include "imgtool/dump_changes.h"
#include "imgtool/plan_report.h"

namespace ckpt {

struct DirectoryStaging {
  std::string dump;     // real path
  std::string staging;  // an empty directory
  std::string out;      // real path of where the staged directory will be
};

// The staged directory holds everything that the dump holds: edited images as new files; all else
// as hard links, or reflinks or copies where those cannot be; directories likewise; symbolic links,
// adjusted where they are relative and lead out of the dump, as `parent` does. All have the owner,
// mode, times and extended attributes of the old ones. Everything is synced. kUnsupported: a socket
// or device in the dump, and a plan that edits an image which is a symbolic link.
Result<PlanOutcome> StageDirectory(const DirectoryStaging& places, const DumpChanges& changes);

}  // namespace ckpt

#endif  // IMGTOOL_STAGE_DIRECTORY_H_
