#include "imgtool/mount_id_pass.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "imgtool/fixup_context.h"

namespace ckpt {

namespace {

FieldValue OldMountId(const DumpedFile& file) {
  if (!file.entry.has_mnt_id()) return FieldAbsent();
  return int64_t{file.entry.mnt_id()};
}

FieldValue IdOf(const DumpedMount* mount) {
  if (mount == nullptr) return FieldAbsent();
  return int64_t{mount->entry.mnt_id()};
}

Result<> Propose(const DumpedFile& file, FieldValue new_value, std::string evidence,
                 EditPlan& plan) {
  return plan.Add({file.place, file.field_prefix + "mnt_id", OldMountId(file), std::move(new_value),
                   kMountIdPass, std::move(evidence)});
}

// CRIU looks for the mount of a ghost among those of a namespace that it makes, and in the shared
// one there are none.
bool IsGhostWithoutMounts(const PathRepair& repair, const DumpFacts& facts) {
  return repair.is_ghost && (!repair.mnt_ns_id || repair.mnt_ns_id == facts.shared_mnt_ns_id);
}

std::string EvidenceFor(const PathRepair& repair, const FixupContext& context) {
  if (IsGhostWithoutMounts(repair, context.facts)) {
    return "of a ghost no mount counts, as its namespace is not made again";
  }
  if (repair.owner != nullptr) {
    return fmt::format("the repaired path leads to the mount at {} ({})",
                       FieldText(repair.owner->entry.mountpoint()), repair.owner->place.Text());
  }
  if (context.facts.mounts.empty() && repair.mount->mnt_id) {
    return fmt::format("recorded as the mount of union {}", repair.mount->id);
  }
  return "the dump has no mount for the repaired path";
}

// A file without a mount id has none to repair where the dump has no mounts either.
bool NeedsMountId(const PathRepair& repair, const FixupContext& context) {
  return repair.file->entry.has_mnt_id() || !context.facts.mounts.empty();
}

Result<> ProposeForeign(const DumpedFile& file, const FixupContext& context, EditPlan& plan) {
  const pb::reg_file_entry& entry = file.entry;
  const bool has_mount = entry.has_mnt_id() && entry.mnt_id() >= 0 && !entry.ext();
  if (!has_mount || context.facts.mounts.Find(entry.mnt_id()) != nullptr) return success();
  const auto mnt_ns_id = NamespaceOf(context.facts, file, nullptr);
  const DumpedMount* owner =
      mnt_ns_id ? context.facts.mounts.Owner(*mnt_ns_id, entry.name()) : nullptr;
  return Propose(file, IdOf(owner),
                 fmt::format("no mountpoints image lists mount {}", entry.mnt_id()), plan);
}

}  // namespace

FieldValue MountIdOf(const PathRepair& repair, const DumpFacts& facts) {
  if (IsGhostWithoutMounts(repair, facts)) return FieldAbsent();
  if (repair.owner != nullptr) return IdOf(repair.owner);
  if (facts.mounts.empty() && repair.mount->mnt_id) return int64_t{*repair.mount->mnt_id};
  return FieldAbsent();
}

Result<> ProposeMountIds(const FixupContext& context, EditPlan& plan) {
  std::set<const DumpedFile*> repaired;
  for (const PathRepair& repair : context.repairs.repairs) {
    repaired.insert(repair.file);
    if (!NeedsMountId(repair, context)) continue;
    CKPT_TRY(Propose(*repair.file, MountIdOf(repair, context.facts), EvidenceFor(repair, context),
                     plan));
  }
  if (context.facts.mounts.empty()) return success();
  for (const DumpedFile& file : context.facts.files) {
    if (!repaired.contains(&file)) CKPT_TRY(ProposeForeign(file, context, plan));
  }
  return success();
}

}  // namespace ckpt
