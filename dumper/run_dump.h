// The command line of ckpt-dump, also run inside tests.
#ifndef DUMPER_RUN_DUMP_H_
#define DUMPER_RUN_DUMP_H_

#include <iosfwd>
#include <span>
#include <string>

namespace ckpt {

// `arguments` are those after the program's name. Returns the exit code: see base/result.h.
int RunDump(std::span<const std::string> arguments, std::ostream& out, std::ostream& err);

}  // namespace ckpt

#endif  // DUMPER_RUN_DUMP_H_
