#include "restorer/ghost_plan.h"

#include <sys/stat.h>

namespace ckpt {

namespace {

timespec TimeOf(const pb::timeval& time) {
  return {.tv_sec = static_cast<time_t>(time.tv_sec()),
          .tv_nsec = static_cast<long>(time.tv_usec() * 1'000)};
}

bool IsOfKnownKind(mode_t mode) {
  return S_ISREG(mode) || S_ISDIR(mode) || S_ISFIFO(mode) || S_ISCHR(mode) || S_ISBLK(mode);
}

GhostPlan PlanEntry(uint32_t id, const GhostImage& image, const FilePlan& file) {
  GhostPlan ghost{.id = id, .place = file.place, .path = file.path};
  ghost.mode = image.entry.mode();
  ghost.uid = image.entry.uid();
  ghost.gid = image.entry.gid();
  ghost.device = image.entry.rdev();
  if (image.entry.has_atim() && image.entry.has_mtim()) {
    ghost.times = {TimeOf(image.entry.atim()), TimeOf(image.entry.mtim())};
  }
  ghost.size_bytes = image.size_bytes;
  for (const GhostChunkImage& chunk : image.chunks) {
    ghost.chunks.push_back({chunk.offset_bytes, chunk.bytes});
  }
  return ghost;
}

}  // namespace

void PlanGhost(const DumpImages& images, const pb::remap_file_path_entry& remap, FilePlan& file,
               RestorePlan& plan, Findings& findings) {
  if (remap.has_remap_type() && remap.remap_type() != pb::GHOST) {
    findings.Unsupported("{}: {} had been deleted, and its remap of type {} is not supported",
                         file.place, file.path, pb::remap_type_Name(remap.remap_type()));
    return;
  }
  const auto image = images.ghosts.find(remap.remap_id());
  if (image == images.ghosts.end()) {
    findings.BadFormat("{}: {} had been deleted, and ghost {} is missing", file.place, file.path,
                       remap.remap_id());
    return;
  }
  file.ghost_id = image->first;
  if (plan.ghosts.contains(image->first)) return;
  GhostPlan ghost = PlanEntry(image->first, image->second, file);
  if (!IsOfKnownKind(ghost.mode)) {
    findings.Unsupported("{}: {} had been deleted, and files of mode {:#o} are not supported",
                         file.place, file.path, ghost.mode);
  }
  plan.ghosts.emplace(image->first, std::move(ghost));
}

}  // namespace ckpt
