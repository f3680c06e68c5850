#include "imgtool/help_command.h"

#include <ostream>

#include "base/program_manual.h"
#include "base/shell_completion.h"
#include "imgtool/help_text.h"

namespace ckpt {

void AddHelpOptions(boost::program_options::options_description& options) {
  options.add_options()("manual", "the manual page of the whole program instead");
}

Result<int> RunHelp(const Invocation& invocation) {
  if (invocation.options.count("manual") > 0) {
    invocation.streams.out << ManualPage(ImgtoolManual());
    return kExitDone;
  }
  if (invocation.operands.empty()) {
    PrintOverview(invocation.streams.out);
    return kExitDone;
  }
  const std::string& name = invocation.operands.front();
  const Command* const command = FindCommand(name);
  if (command == nullptr) {
    return MakeError(ErrorCode::kUsage, "unknown command '{}' (try imgtool --help)", name);
  }
  PrintHelp(*command, invocation.streams.out);
  return kExitDone;
}

void AddCompletionOptions(boost::program_options::options_description&) {}

Result<int> RunCompletion(const Invocation& invocation) {
  CKPT_TRY(const std::string script,
           CompletionScript(ImgtoolManual(), invocation.operands.front()));
  invocation.streams.out << script;
  return kExitDone;
}

}  // namespace ckpt
