// What a mount of the dump is to look like: device, type, source and options of the mount that owns
// a reference file on this machine, or of a line of mountinfo.
#ifndef IMGTOOL_MOUNT_REFERENCE_H_
#define IMGTOOL_MOUNT_REFERENCE_H_

#include <cstdint>
#include <string>

#include "base/result.h"

namespace ckpt {

struct MountReference {
  std::string origin;   // for the report: "/etc/hosts", "the given line"
  uint32_t device = 0;  // major << 20 | minor
  uint32_t fstype = 0;  // number of the format, 0 for what it does not know
  std::string source;
  std::string options;  // without "rw" and the like, as images have them
};

// A word with blanks in it is a line of mountinfo; any other is a file, whose mount is looked up in
// this process's mountinfo. kNotFound, kBadFormat.
Result<MountReference> FindMountReference(const std::string& file_or_line);

}  // namespace ckpt

#endif  // IMGTOOL_MOUNT_REFERENCE_H_
