// `imgtool undo`: takes the last rewrite of a dump back.
#ifndef IMGTOOL_UNDO_COMMAND_H_
#define IMGTOOL_UNDO_COMMAND_H_

#include <boost/program_options/options_description.hpp>

#include "base/result.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr char kUndoDescription[] =
    "Brings back the state of DUMP before its last change with --in-place, in one step. The state\n"
    "that it replaces is kept in its place: a second undo brings the change back.\n\n"
    "--forget removes the kept state. It takes little room where the file system has hard links:\n"
    "only edited images are there twice.\n";

void AddUndoOptions(boost::program_options::options_description& options);

// kNotFound where no state is kept.
Result<int> RunUndo(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_UNDO_COMMAND_H_
