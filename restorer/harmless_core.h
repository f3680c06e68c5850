// A dump of core that goes nowhere: the way to have a process end so that its parent is told that
// it dumped core.
#ifndef RESTORER_HARMLESS_CORE_H_
#define RESTORER_HARMLESS_CORE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// The directories that the kernel looks for a core in, each before those in it: of a pattern that
// begins with "/" (core(5), /proc/sys/kernel/core_pattern). kUnsupported for one that gives cores
// to a program or a socket, which would hear of it.
Result<std::vector<std::string>> DirectoriesOfCore(std::string_view pattern);

// The process, which is to end by a signal now, gets an empty file system of its own for root and
// working directory, which ends with it, and may dump one page of core there. After an error it
// may have these and may not dump core.
Result<> PrepareHarmlessCore(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_HARMLESS_CORE_H_
