#include "imgtool/mount_reference.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "formats/mount_options.h"
#include "imgtool/mountinfo_line.h"

namespace ckpt {

namespace {

Result<uint64_t> MountIdOfFile(const std::string& path) {
  struct statx status {};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "statx(\"{}\", STATX_MNT_ID)", path);
  }
  return status.stx_mnt_id;
}

Result<MountLine> LineOfFile(const std::string& path) {
  CKPT_TRY(const uint64_t mnt_id, MountIdOfFile(path));
  CKPT_TRY(const std::string text, ReadWholeFile("/proc/self/mountinfo"));
  for (std::string_view left = text; !left.empty();) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    CKPT_TRY(MountLine mount, ParseMountLine(line));
    if (mount.mnt_id == mnt_id) return mount;
  }
  return MakeError(ErrorCode::kNotFound, "{}: its mount {} is not in /proc/self/mountinfo", path,
                   mnt_id);
}

}  // namespace

Result<MountReference> FindMountReference(const std::string& file_or_line) {
  const bool is_line = file_or_line.find(' ') != std::string::npos;
  CKPT_TRY(const MountLine line, is_line ? ParseMountLine(file_or_line) : LineOfFile(file_or_line));
  if (!line.mnt_id) {
    return MakeError(ErrorCode::kUsage,
                     "a line of /proc/mounts has no device; give one of mountinfo, or a file");
  }
  return MountReference{.origin = is_line ? "the given line of mountinfo" : file_or_line,
                        .device = line.device,
                        .fstype = static_cast<uint32_t>(FstypeOf(line.fstype)),
                        .source = line.source,
                        .options = SplitMountOptions(line.options).rest};
}

}  // namespace ckpt
