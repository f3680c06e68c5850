// Terminals of a frozen tree that come from outside of it: slaves of pseudo terminals, which a
// restorer replaces by its own terminal (--shell-job).
#ifndef DUMPER_TTY_FILES_H_
#define DUMPER_TTY_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/open_description.h"
#include "formats/proto/tty.pb.h"

namespace ckpt {

bool IsTerminal(const OpenDescription& opened);

// Why the terminal cannot be dumped, or nothing.
std::optional<std::string> ReasonToRefuseTerminal(const OpenDescription& opened, bool is_shell_job);

// Adds the entry of a description, and the regular entry that has its path.
Result<uint32_t> AddTerminal(const OpenDescription& opened, FileTable& files);

// An entry of tty-info.img for each terminal that `opened` are descriptions of.
Result<std::vector<pb::tty_info_entry>> CollectTerminals(
    const std::vector<const OpenDescription*>& opened);

}  // namespace ckpt

#endif  // DUMPER_TTY_FILES_H_
