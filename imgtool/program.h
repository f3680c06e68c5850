// imgtool as a function, so that a test runs the whole program inside its own process.
#ifndef IMGTOOL_PROGRAM_H_
#define IMGTOOL_PROGRAM_H_

#include <span>
#include <string>

#include "imgtool/command.h"

namespace ckpt {

// Runs `imgtool ARGS...` (without the program's own name) and returns its exit code: those of
// base/result.h. Exceptions of the libraries below end here.
int RunImgtool(std::span<const std::string> args, Streams streams);

// The same on file descriptors 0, 1 and 2, which it does not close. A standard output that nobody
// reads any more (EPIPE) ends the program quietly with 0; one that cannot be written for another
// reason is an error of its own, exit code 8.
int RunImgtoolOnDescriptors(std::span<const std::string> args, int in, int out, int err);

}  // namespace ckpt

#endif  // IMGTOOL_PROGRAM_H_
