// A line of /proc/PID/mountinfo or /proc/mounts, as users copy them out of logs and bug reports.
// Shapes: proc_pid_mountinfo(5), fstab(5). Pure.
#ifndef IMGTOOL_MOUNTINFO_LINE_H_
#define IMGTOOL_MOUNTINFO_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// Escapes of all fields but `options` are undone; those of `options` are left, since what they mean
// depends on the option (see map_source_options.h).
struct MountLine {
  // Of mountinfo only.
  std::optional<uint32_t> mnt_id;
  uint32_t device = 0;  // major << 20 | minor
  std::string root;

  std::string mountpoint;
  std::string fstype;
  std::string source;
  std::string options;  // of the superblock; of /proc/mounts all there are
};

// Whether the line has the shape of mountinfo (" - " between its halves) or of /proc/mounts.
bool IsMountinfoLine(std::string_view line);
bool IsMountsLine(std::string_view line);

// kBadFormat, naming the field, when the line is of neither shape.
Result<MountLine> ParseMountLine(std::string_view line);

}  // namespace ckpt

#endif  // IMGTOOL_MOUNTINFO_LINE_H_
