// Gives the restorer's terminal to processes that had another one.
#ifndef RESTORER_TTY_MAKER_H_
#define RESTORER_TTY_MAKER_H_

#include "base/file.h"
#include "base/result.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// A description of the terminal that is our standard input, with the flags of `file`.
Result<UniqueFd> OpenTerminal(const FilePlan& file);

}  // namespace ckpt

#endif  // RESTORER_TTY_MAKER_H_
