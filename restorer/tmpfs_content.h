// Puts the files of a tmpfs back, from an archive of the dump.
#ifndef RESTORER_TMPFS_CONTENT_H_
#define RESTORER_TMPFS_CONTENT_H_

#include <string>

#include "base/result.h"

namespace ckpt {

// `path` is a tar archive, compressed or not, whose members begin at the directory that `directory`
// is open on (O_PATH will do) and are written there, with owners, modes, times, extended attributes
// and holes; also devices, FIFOs and links. No member leads out of it: such a one is an error. The
// working directory, which changes meanwhile, is what it was before.
Result<> ExtractContent(const std::string& path, int directory);

}  // namespace ckpt

#endif  // RESTORER_TMPFS_CONTENT_H_
