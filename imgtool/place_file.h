// Puts a file into another directory without moving its bytes where the file system allows it.
#ifndef IMGTOOL_PLACE_FILE_H_
#define IMGTOOL_PLACE_FILE_H_

#include <sys/stat.h>

#include <string>

#include "base/file.h"
#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

enum class Placement { kHardLinked, kReflinked, kCopied };

// The regular file `source` as the new file `target`: a hard link; where that cannot be (another
// file system, a file of another user under protected_hardlinks) a reflink; else a copy. Reflinks
// and copies are synced and keep owner, mode and times. After an error `target` does not exist.
Result<Placement> PlaceFile(const std::string& source, const std::string& target);

// Writes `content` to an open, empty file.
Result<> WriteContent(int fd, const FileContent& content, const std::string& name);

// Gives an open file or directory the owner and mode of `status`; the owner stays where only the
// superuser could change it.
Result<> CopyOwnerAndMode(int fd, const struct stat& status, const std::string& name);
// The times too.
Result<> CopyAttributes(int fd, const struct stat& status, const std::string& name);
// Those that can be read there and set here; a label that the system gives by itself cannot.
void CopyExtendedAttributes(const std::string& source, int fd);

}  // namespace ckpt

#endif  // IMGTOOL_PLACE_FILE_H_
