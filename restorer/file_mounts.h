// Whether the paths of files lead to the mounts that the files are on.
#ifndef RESTORER_FILE_MOUNTS_H_
#define RESTORER_FILE_MOUNTS_H_

#include <cstdint>
#include <map>

#include "restorer/findings.h"
#include "restorer/mount_plan.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// A file on a mount that is not in the tree, or that another one hides, is a finding.
void CheckFileMounts(const std::map<uint32_t, FilePlan>& files, const MountTreePlan& mounts,
                     Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_FILE_MOUNTS_H_
