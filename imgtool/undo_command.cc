#include "imgtool/undo_command.h"

#include <fmt/ostream.h>

#include <ostream>
#include <string>

#include "imgtool/dump_transaction.h"

namespace ckpt {

void AddUndoOptions(boost::program_options::options_description& options) {
  options.add_options()("forget", "remove the kept state instead");
}

Result<int> RunUndo(const Invocation& invocation) {
  const std::string& dump = invocation.operands[0];
  if (invocation.options.count("forget") == 0) {
    CKPT_TRY(UndoDump(dump));
    fmt::print(invocation.streams.out, "{}: the state before its last change is back\n", dump);
    return kExitDone;
  }
  CKPT_TRY(const bool forgotten, ForgetUndo(dump));
  fmt::print(
      invocation.streams.out, "{}: {}\n", dump,
      forgotten ? "the state before its last change is removed" : "no earlier state is kept");
  return kExitDone;
}

}  // namespace ckpt
