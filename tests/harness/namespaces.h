// Tests of live processes run as the first process of a PID namespace of their own, so that the
// pids they restore are free, orphans come to them, and nothing outlives them; and in a mount
// namespace of their own, so that nothing they mount is seen outside.
#ifndef TESTS_HARNESS_NAMESPACES_H_
#define TESTS_HARNESS_NAMESPACES_H_

#include <functional>

#include "base/result.h"

namespace ckpt {

// Runs `body` in a child in new PID and mount namespaces, with /proc mounted for them, and returns
// its exit status. The namespace and all in it end with the child, the child with the caller.
Result<int> RunInNamespaces(const std::function<int()>& body);

}  // namespace ckpt

#endif  // TESTS_HARNESS_NAMESPACES_H_
