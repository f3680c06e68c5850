// Completion of a program's command line by a shell, made of what the program says of itself.
#ifndef BASE_SHELL_COMPLETION_H_
#define BASE_SHELL_COMPLETION_H_

#include <string>
#include <string_view>

#include "base/program_manual.h"
#include "base/result.h"

namespace ckpt {

// "bash" or "zsh", as messages and usage lines spell it.
inline constexpr std::string_view kCompletionShells = "bash|zsh";

// The script that the shell reads: commands and options by name, files elsewhere. Operands that are
// spelt as words with bars between them, "bash|zsh", are completed as these; "[COMMAND]" as the
// commands. kUsage for another shell.
Result<std::string> CompletionScript(const ProgramManual& manual, std::string_view shell);

}  // namespace ckpt

#endif  // BASE_SHELL_COMPLETION_H_
