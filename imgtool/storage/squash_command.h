// `imgtool squash`: an incremental dump without its parents.
#ifndef IMGTOOL_STORAGE_SQUASH_COMMAND_H_
#define IMGTOOL_STORAGE_SQUASH_COMMAND_H_

#include <boost/program_options/options_description.hpp>

#include "base/result.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr char kSquashDescription[] =
    "Writes a full dump of an incremental one: all images of DUMP, pagemaps that leave no page to\n"
    "a parent, and all pages, gathered from DUMP and the dumps behind its `parent` link. The\n"
    "result is compressed if DUMP is. Nothing of the chain is changed.\n";

void AddSquashOptions(boost::program_options::options_description& options);

Result<int> RunSquash(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_SQUASH_COMMAND_H_
