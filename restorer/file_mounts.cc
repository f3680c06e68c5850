#include "restorer/file_mounts.h"

namespace ckpt {

void CheckFileMounts(const std::map<uint32_t, FilePlan>& files, const MountTreePlan& mounts,
                     Findings& findings) {
  if (mounts.mounts.empty()) return;
  for (const auto& [id, file] : files) {
    if (!file.mnt_id || file.path.empty()) continue;
    const auto own = mounts.by_mnt_id.find(*file.mnt_id);
    if (own == mounts.by_mnt_id.end()) {
      findings.Unsupported("{}: {}: mount {} is not one of the container's", file.place, file.path,
                           *file.mnt_id);
      continue;
    }
    const size_t reached = mounts.FindMountOf(file.path);
    if (reached == own->second) continue;
    findings.Unsupported("{}: {}: is on mount {}, but the path leads to mount {}", file.place,
                         file.path, *file.mnt_id, mounts.mounts[reached].mnt_id);
  }
}

}  // namespace ckpt
