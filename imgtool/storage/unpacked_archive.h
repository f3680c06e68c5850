// An archive laid out below a directory, all of it, as it was when it was packed.
#ifndef IMGTOOL_STORAGE_UNPACKED_ARCHIVE_H_
#define IMGTOOL_STORAGE_UNPACKED_ARCHIVE_H_

#include <cstdint>
#include <string>

#include "base/result.h"
#include "imgtool/archive_reader.h"

namespace ckpt {

struct UnpackedArchive {
  uint64_t member_count = 0;
  uint64_t size_bytes = 0;  // of all files
};

// Into `directory`, which is empty and nobody else's. Where checkpoint/ is all that there is, what
// is in it comes to the top. Modes and times are as in the archive, owners too where the caller may
// set them; set-uid bits are not kept. Everything is synced. Errors are those of ArchiveReader, and
// kUnsupported for members that collide, kBadFormat where no image of a dump is among them. What
// was made until then stays.
Result<UnpackedArchive> UnpackArchive(ArchiveReader& reader, const std::string& directory);

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_UNPACKED_ARCHIVE_H_
