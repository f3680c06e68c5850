// The content of a tmpfs as an archive, in the form in which CRIU has it: tar, compressed by gzip.
#ifndef DUMPER_TMPFS_CONTENT_H_
#define DUMPER_TMPFS_CONTENT_H_

#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

// A mount of the mount namespace of the calling thread, without what is mounted on it. kUnsupported
// when another mount than `mnt_id` is seen at `mountpoint`: one that lies on top.
Result<UniqueFd> OpenBareMount(const std::string& mountpoint, int32_t mnt_id);

// Archives a directory and all below it on the same file system into `output`, which is empty:
// names begin with "./", the directory itself is the first; owners, modes, times of change to the
// nanosecond, links, holes, extended attributes, named pipes and devices are kept. Sockets are left
// out: only who binds them can make them. The working directory of the thread, which must not share
// it with others, is `directory` afterwards.
Result<> ArchiveDirectory(int directory, int output);

}  // namespace ckpt

#endif  // DUMPER_TMPFS_CONTENT_H_
