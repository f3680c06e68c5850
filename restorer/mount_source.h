// Makes what mounts are clones of: new file systems with their content, and directories of the
// restorer's without what is mounted below them.
#ifndef RESTORER_MOUNT_SOURCE_H_
#define RESTORER_MOUNT_SOURCE_H_

#include <string>

#include "base/file.h"
#include "base/result.h"
#include "restorer/mount_plan.h"

namespace ckpt {

// What CloneMount() can be called for, and OpenOnMount() where it is a directory. It is attached on
// top of `root`, a directory open in the process's own mount namespace, which is the one of a kRoot
// source. The working directory is what it was before. `images_dir` is where the content is.
Result<UniqueFd> MakeMountSource(const MountSourcePlan& plan, int root,
                                 const std::string& images_dir);

}  // namespace ckpt

#endif  // RESTORER_MOUNT_SOURCE_H_
