// Makes what is in new namespaces: names, sysctls, the loopback device and the mounts.
#ifndef RESTORER_NAMESPACES_H_
#define RESTORER_NAMESPACES_H_

#include <string>

#include "base/log.h"
#include "base/result.h"
#include "restorer/namespaces_plan.h"

namespace ckpt {

// To be called in a child of the restorer with a single thread, which was cloned with
// plan.clone_flags and has the restorer's root and working directory still. `root` is the directory
// for the root of an own mount namespace, `images_dir` where the content of tmpfs is. Afterwards
// the root and the working directory of the process are those of the new mount namespace. All that
// was made goes with the namespaces when the process ends.
Result<> FillNamespaces(const NamespacesPlan& plan, const std::string& root,
                        const std::string& images_dir, Log& log);

}  // namespace ckpt

#endif  // RESTORER_NAMESPACES_H_
