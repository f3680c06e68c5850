// `imgtool pack`: a dump directory as an archive.
#ifndef IMGTOOL_STORAGE_PACK_COMMAND_H_
#define IMGTOOL_STORAGE_PACK_COMMAND_H_

#include <boost/program_options/options_description.hpp>

#include "base/result.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr char kPackDescription[] =
    "Writes a dump directory as an archive that podman and all commands of imgtool read: tar,\n"
    "compressed by zstd, the images in checkpoint/. A directory that has them in checkpoint/\n"
    "already, beside config.dump and the like, is packed as it is. `imgtool unpack` makes the\n"
    "same directory of it again.\n";

void AddPackOptions(boost::program_options::options_description& options);

Result<int> RunPack(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_PACK_COMMAND_H_
