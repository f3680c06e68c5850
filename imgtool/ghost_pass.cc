#include "imgtool/ghost_pass.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <utility>

#include "formats/image_message.h"
#include "formats/image_type.h"
#include "formats/image_writer.h"
#include "formats/proto/files.pb.h"
#include "imgtool/fixup_context.h"
#include "imgtool/mount_pass.h"

namespace ckpt {

namespace {

constexpr uint32_t kMinorBits = 20;
constexpr uint64_t kNanosecondsPerMicrosecond = 1000;

void SetTime(const timespec& time, pb::timeval& value) {
  value.set_tv_sec(static_cast<uint64_t>(time.tv_sec));
  value.set_tv_usec(static_cast<uint64_t>(time.tv_nsec) / kNanosecondsPerMicrosecond);
}

pb::ghost_file_entry MakeEntry(const struct stat& status, const RecordedMapping* mapping) {
  pb::ghost_file_entry entry;
  entry.set_uid(status.st_uid);
  entry.set_gid(status.st_gid);
  entry.set_mode(status.st_mode);
  entry.set_dev(mapping != nullptr ? mapping->entry.maps_dev()
                                   : major(status.st_dev) << kMinorBits | minor(status.st_dev));
  entry.set_ino(mapping != nullptr ? mapping->entry.maps_ino() : status.st_ino);
  SetTime(status.st_atim, *entry.mutable_atim());
  SetTime(status.st_mtim, *entry.mutable_mtim());
  return entry;
}

class GhostPass {
 public:
  GhostPass(const FixupContext& context, EditPlan& plan)
      : context_(context), plan_(plan), meant_(context) {
    for (const pb::remap_file_path_entry& remap : context.facts.remaps) {
      next_id_ = std::max(next_id_, remap.remap_id() + 1);
    }
  }

  Result<> Run() {
    for (const PathRepair& repair : context_.repairs.repairs) {
      if (repair.is_ghost) CKPT_TRY(Propose(repair));
    }
    return success();
  }

 private:
  Result<> Propose(const PathRepair& repair) {
    CKPT_TRY(const uint32_t ghost_id, GhostOf(repair));
    pb::remap_file_path_entry remap;
    remap.set_orig_id(repair.file->entry.id());
    remap.set_remap_id(ghost_id);
    remap.set_remap_type(pb::GHOST);
    CKPT_TRY(std::string message, SerializeMessage(remap));
    plan_.AddEntry({.image = ImageFileName(ImageType::kRemapFpath),
                    .message = std::move(message),
                    .extra = {},
                    .pass = kGhostPass,
                    .evidence = Evidence(repair)});
    return success();
  }

  static std::string Evidence(const PathRepair& repair) {
    return fmt::format("{}: {}", repair.file->place.Text(), repair.found.why);
  }

  // One ghost for all files that lie at one place of a branch and were of one file system.
  Result<uint32_t> GhostOf(const PathRepair& repair) {
    const uint32_t device = repair.owner == nullptr ? 0 : DeviceOf(*repair.owner);
    const auto [known, is_new] = ids_.try_emplace({repair.found.branch_path, device}, next_id_);
    if (!is_new) return known->second;
    ++next_id_;
    CKPT_TRY(const std::string head, GhostHead(repair));
    CKPT_TRY(plan_.AddFile({.name = ImageFileName(ImageType::kGhostFile, known->second),
                            .content = {.bytes = head, .source = repair.found.branch_path},
                            .pass = kGhostPass,
                            .evidence = Evidence(repair)}));
    return known->second;
  }

  // The image without the content, which follows to its end.
  Result<std::string> GhostHead(const PathRepair& repair) const {
    const std::string& path = repair.found.branch_path;
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "lstat(\"{}\")", path);
    }
    if (!S_ISREG(status.st_mode)) {
      return MakeError(ErrorCode::kUnsupported,
                       "{}: {} is no regular file (mode {:#o}), of which no ghost can be made",
                       repair.file->place.Text(), FieldText(path), status.st_mode);
    }
    pb::ghost_file_entry entry = MakeEntry(status, FindMapping(context_.facts, *repair.file));
    if (repair.owner != nullptr) entry.set_dev(DeviceOf(*repair.owner));
    ImageEncoder image(ImageType::kGhostFile);
    CKPT_TRY(image.Append(entry));
    return image.TakeBytes();
  }

  // Watches on the file have the device of the mount that it lies on.
  uint32_t DeviceOf(const DumpedMount& owner) const {
    const auto& reference = context_.mounts.reference;
    const bool changes = reference && meant_.Contains(owner.origin.root_dev());
    return changes ? reference->device : owner.entry.root_dev();
  }

  const FixupContext& context_;
  EditPlan& plan_;
  const MeantUnions meant_;
  uint32_t next_id_ = 1;
  // By the path of the branch file and the device that the ghost gets.
  std::map<std::pair<std::string, uint32_t>, uint32_t> ids_;
};

}  // namespace

Result<> ProposeGhosts(const FixupContext& context, EditPlan& plan) {
  return GhostPass(context, plan).Run();
}

}  // namespace ckpt
