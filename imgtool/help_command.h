// `imgtool help` and `imgtool completion`: what imgtool says of itself.
#ifndef IMGTOOL_HELP_COMMAND_H_
#define IMGTOOL_HELP_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kHelpDescription =
    R"(Prints the list of commands, or all about one of them, as `imgtool COMMAND --help` does.

With --manual it prints the manual page for man(1): `imgtool help --manual | man -l -`.
)";

inline constexpr std::string_view kCompletionDescription =
    R"(Prints a script by which the shell completes commands, options and files on a command line of
imgtool. For this session:

  source <(imgtool completion bash)

To keep it, write it to bash-completion's folder as `imgtool`, or to one of zsh's $fpath as
`_imgtool`. ckpt-dump and ckpt-restore have the option --completion for the same.
)";

void AddHelpOptions(boost::program_options::options_description& options);
Result<int> RunHelp(const Invocation& invocation);

void AddCompletionOptions(boost::program_options::options_description& options);
Result<int> RunCompletion(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_HELP_COMMAND_H_
