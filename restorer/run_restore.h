// The command line of ckpt-restore, also run inside tests.
#ifndef RESTORER_RUN_RESTORE_H_
#define RESTORER_RUN_RESTORE_H_

#include <iosfwd>
#include <span>
#include <string>

namespace ckpt {

// `arguments` are those after the program's name. Returns the exit code: those of base/result.h;
// without --restore-detached, once the process runs, the process's own, or 128 and the number of
// the signal that ended it.
int RunRestore(std::span<const std::string> arguments, std::ostream& out, std::ostream& err);

}  // namespace ckpt

#endif  // RESTORER_RUN_RESTORE_H_
