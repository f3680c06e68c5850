// `imgtool compress` and `imgtool decompress`: the pages of a dump to and from zstd.
#ifndef IMGTOOL_STORAGE_COMPRESS_COMMAND_H_
#define IMGTOOL_STORAGE_COMPRESS_COMMAND_H_

#include <boost/program_options/options_description.hpp>

#include "base/result.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr char kCompressDescription[] =
    "Compresses the pages images of a dump with zstd, pages-N.img becoming pages-N.img.zst, in\n"
    "frames that can be read each by itself. All commands of imgtool and ckpt-restore read such a\n"
    "dump as any other. CRIU refuses it (\"Not supported images version\") until `imgtool\n"
    "decompress` has brought back every byte. DUMP itself is changed, in one step that `imgtool\n"
    "undo` takes back, unless -o is given. Parents of an incremental dump stay as they are.\n";

inline constexpr char kDecompressDescription[] =
    "Makes of a dump that `imgtool compress` or `ckpt-dump --compress` wrote what it would be\n"
    "without: every file has the bytes that it had before. DUMP itself is changed, in one step\n"
    "that `imgtool undo` takes back, unless -o is given. Parents stay as they are.\n";

void AddCompressOptions(boost::program_options::options_description& options);
void AddDecompressOptions(boost::program_options::options_description& options);

Result<int> RunCompress(const Invocation& invocation);
Result<int> RunDecompress(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_COMPRESS_COMMAND_H_
