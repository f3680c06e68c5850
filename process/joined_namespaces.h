// Work done inside the namespaces of another process.
#ifndef PROCESS_JOINED_NAMESPACES_H_
#define PROCESS_JOINED_NAMESPACES_H_

#include <sys/types.h>

#include <functional>

#include "base/result.h"

namespace ckpt {

// Runs `work` in a thread of its own that has joined the namespaces of `pid` named by
// `clone_flags` (CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET), and waits for it. With
// CLONE_NEWNS its root and working directory are those of the mount namespace. The namespaces of
// the caller are as before. Where `clone_flags` is 0 nothing is joined.
Result<> RunInNamespacesOf(pid_t pid, int clone_flags, const std::function<Result<>()>& work);

}  // namespace ckpt

#endif  // PROCESS_JOINED_NAMESPACES_H_
