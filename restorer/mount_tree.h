// Makes the mounts of a plan, in a new mount namespace.
#ifndef RESTORER_MOUNT_TREE_H_
#define RESTORER_MOUNT_TREE_H_

#include <string>

#include "base/result.h"
#include "restorer/mount_plan.h"

namespace ckpt {

// To be called by the only thread of a process that has a copy of the restorer's mount namespace,
// and its root and working directory still. `root` is the directory for the root of the tree,
// `images_dir` where the content of tmpfs is. Afterwards that root is the process's, its working
// directory too, and nothing else is mounted in the namespace. No file is made outside of the new
// mounts: a missing mountpoint is an error.
Result<> MakeMountTree(const MountTreePlan& plan, const std::string& root,
                       const std::string& images_dir);

}  // namespace ckpt

#endif  // RESTORER_MOUNT_TREE_H_
