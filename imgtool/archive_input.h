// An archive with a dump in it, laid open as a directory for verbs that only read.
#ifndef IMGTOOL_ARCHIVE_INPUT_H_
#define IMGTOOL_ARCHIVE_INPUT_H_

#include <string>
#include <string_view>

#include "base/result.h"
#include "imgtool/archive_limits.h"
#include "imgtool/input_source.h"

namespace ckpt {

// Whether a verb reads that file of a dump. Of an archive only such files are unpacked.
using FileNeed = bool (*)(std::string_view file_name);

// Reads the archive once and makes of it what is in it below `directory`, which is empty: files
// that are needed, by their name without folders, and files of zeros of the same size, which take
// no room, for the others. Returns where the images are: `directory`, or checkpoint/ in it.
//
// kUnsupported: what ArchiveRules refuses; kBadFormat: no archive, one that is cut short, or one
// without images. What was made until then stays.
Result<std::string> UnpackDump(InputSource& source, const ArchiveLimits& limits, FileNeed need,
                               const std::string& directory);

}  // namespace ckpt

#endif  // IMGTOOL_ARCHIVE_INPUT_H_
