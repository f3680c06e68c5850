// A program of tests/programs in namespaces that belong to a user namespace of their own.
#ifndef TESTS_IMAGES_USER_CONTAINER_H_
#define TESTS_IMAGES_USER_CONTAINER_H_

#include <string>

#include "base/result.h"
#include "tests/harness/subject.h"

namespace ckpt {

// Starts `program`, which is linked statically, as pid 1 with WORKDIR /work in a root directory
// below `folder`, which exists and is empty. User and group ids are the host's. Its mounts: the
// root, /proc, /binfmt_misc, and the host's /dev/null. Returns when it is ready.
Result<Subject> StartInUserNamespace(const std::string& program, const std::string& folder);

}  // namespace ckpt

#endif  // TESTS_IMAGES_USER_CONTAINER_H_
