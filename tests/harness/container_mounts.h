// The mounts of a container, made from inside its new mount namespace.
#ifndef TESTS_HARNESS_CONTAINER_MOUNTS_H_
#define TESTS_HARNESS_CONTAINER_MOUNTS_H_

#include <string>

#include "base/result.h"

namespace ckpt {

struct ContainerMounts {
  std::string root;        // becomes "/"; a mount
  std::string host_files;  // the folder with hosts, resolv.conf and hostname
  bool sysfs = true;       // the kernel wants an own network namespace for it
  bool propagation = false;
  int bind_mounts = 0;
  std::string union_options = {};  // of an overlay at /union; none without
};

// The directories in a root directory that the mounts are made on, and the sources of its binds.
Result<> MakeMountpoints(const std::string& root, int bind_mounts);

// Mounts everything (see container.h) and makes the root directory the root of the namespace of the
// caller, which must be new. All other mounts of it are gone afterwards.
Result<> MountContainer(const ContainerMounts& mounts);

}  // namespace ckpt

#endif  // TESTS_HARNESS_CONTAINER_MOUNTS_H_
