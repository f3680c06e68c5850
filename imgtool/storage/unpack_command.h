// `imgtool unpack`: an archive with a dump in it as a directory.
#ifndef IMGTOOL_STORAGE_UNPACK_COMMAND_H_
#define IMGTOOL_STORAGE_UNPACK_COMMAND_H_

#include <boost/program_options/options_description.hpp>

#include "base/result.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr char kUnpackDescription[] =
    "Makes a directory of an archive as podman, CRI-O, containerd and `imgtool pack` write them:\n"
    "tar, plain or compressed by gzip, bzip2, xz or zstd, which is told by its bytes. `-` is the\n"
    "standard input. Where there is nothing in it but checkpoint/, what is in that folder comes\n"
    "into DIR, which can then be restored; else everything is as in the archive.\n\n"
    "Owners are kept by the superuser only.\n";

void AddUnpackOptions(boost::program_options::options_description& options);

Result<int> RunUnpack(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_UNPACK_COMMAND_H_
