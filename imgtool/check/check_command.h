// `imgtool check`: can this dump be restored?
#ifndef IMGTOOL_CHECK_CHECK_COMMAND_H_
#define IMGTOOL_CHECK_CHECK_COMMAND_H_

#include <string_view>

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kCheckDescription =
    R"(Says what is wrong with a dump, a directory or an archive, before a restorer stumbles over it: images
that are missing or damaged, ids that lead nowhere, pages that are not there, mounts that are no
tree, fields that nobody knows. All of it is found in one run; pages are counted, not read. The
older dumps that an incremental one builds on are looked at, too.

With --root the files of the dump are looked up in that directory, which the restored tasks will
have as their root, and compared: kind and permissions, size, build id. Links are followed as in
that root. Files on other mounts (a tmpfs, /proc, external mounts) are counted, not compared.

Every finding is of a rule; --rules prints their table. An error is what makes a restore fail or
go wrong, a warning what may, a note what is good to know.

Exit codes: 0 without errors and warnings, 1 with. What is wrong with images is found, not fatal;
only where there is no dump, or it cannot be read, the other codes tell so.
)";

void AddCheckOptions(boost::program_options::options_description& options);
Result<int> RunCheck(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_CHECK_CHECK_COMMAND_H_
