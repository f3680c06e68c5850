#include "imgtool/path_pass.h"

#include <fmt/format.h>

#include "imgtool/fixup_context.h"
#include "imgtool/mount_id_pass.h"

namespace ckpt {

namespace {

Result<> ProposeMapping(const RecordedMapping& mapping, const PathRepair& repair,
                        const FixupContext& context, EditPlan& plan) {
  const std::string evidence =
      fmt::format("{} is repaired, file {}", repair.file->place.Text(), repair.file->entry.id());
  const auto edit = [&](std::string_view field, FieldValue old_value, FieldValue new_value) {
    return plan.Add({mapping.place, fmt::format("mapping.{}", field), std::move(old_value),
                     std::move(new_value), kRawFactsPass, evidence});
  };
  CKPT_TRY(edit("map_files_path", mapping.entry.map_files_path(), repair.new_name));
  CKPT_TRY(edit("maps_path", mapping.entry.maps_path(), repair.new_name));
  if (!mapping.entry.has_mnt_id()) return success();
  return edit("mnt_id", int64_t{mapping.entry.mnt_id()}, MountIdOf(repair, context.facts));
}

}  // namespace

Result<> ProposePaths(const FixupContext& context, EditPlan& plan) {
  for (const PathRepair& repair : context.repairs.repairs) {
    const DumpedFile& file = *repair.file;
    CKPT_TRY(plan.Add({file.place, file.field_prefix + "name", file.entry.name(), repair.new_name,
                       kPathPass, repair.evidence}));
  }
  return success();
}

Result<> ProposeRawFacts(const FixupContext& context, EditPlan& plan) {
  for (const PathRepair& repair : context.repairs.repairs) {
    for (const RecordedMapping* mapping : MappingsOf(context.facts, *repair.file)) {
      CKPT_TRY(ProposeMapping(*mapping, repair, context, plan));
    }
  }
  return success();
}

}  // namespace ckpt
