#include "imgtool/passes.h"

#include <utility>

#include "imgtool/anonymise_pass.h"
#include "imgtool/cgroup_pass.h"
#include "imgtool/external_mount_pass.h"
#include "imgtool/ghost_pass.h"
#include "imgtool/mount_check.h"
#include "imgtool/mount_id_pass.h"
#include "imgtool/mount_pass.h"
#include "imgtool/name_pass.h"
#include "imgtool/network_passes.h"
#include "imgtool/path_pass.h"
#include "imgtool/rename_passes.h"
#include "imgtool/restat_pass.h"
#include "imgtool/stat_pass.h"

namespace ckpt {

namespace {

constexpr Pass kPasses[] = {
    // Of aufs-fixup.
    {"paths", "names of regular files, from branch to union", ProposePaths},
    {"raw-facts", "the same names where ckpt-dump recorded them", ProposeRawFacts},
    {"mount-ids", "the mounts that files say they were opened through", ProposeMountIds},
    {"mounts", "root, source and options of the union mounts", ProposeMounts},
    {"external-mounts", "mounts that a restorer has to be told about", ProposeExternalMounts},
    {"stat", "size and mode, from the file in the union", ProposeStat},
    {"ghosts", "files that the union does not show any more", ProposeGhosts},
    {"names", "paths of sockets, watches and the cache of watched inodes", ProposeNames},
    {"watches", "paths for file handles, devices of watches and ghosts", ProposeWatches},
    // Of rewrite.
    {"paths", "paths of the tasks", RenamePaths},
    {"mounts", "sources of mounts", RenameMounts},
    {"external-mounts", "keys of external mounts", NameExternalMounts},
    {"restat", "sizes and modes of files", Restat},
    {"ports", "ports of sockets", RenamePorts},
    {"addresses", "addresses of sockets, devices, routes and rules", RenameAddresses},
    {"cgroups", "paths of cgroups", RenameCgroups},
    {"hostname", "the name of the host", RenameHost},
    {"ids", "user and group ids", ShiftIds},
    {"anonymise", "memory, paths and names", Anonymise},
};

// All passes that look at such a context.
template <typename Propose, typename Context>
Result<> RunPasses(Context& context, EditPlan& plan) {
  for (const Pass& pass : Passes()) {
    const Propose* propose = std::get_if<Propose>(&pass.propose);
    if (propose != nullptr) CKPT_TRY((*propose)(context, plan));
  }
  return success();
}

}  // namespace

std::span<const Pass> Passes() { return kPasses; }

Result<EditPlan> PlanFixup(const FixupContext& context) {
  EditPlan plan;
  for (const PlanNote& note : context.repairs.notes) plan.AddNote(note);
  CKPT_TRY(RunPasses<ProposeFixups>(context, plan));
  for (PlanNote& note : CheckMountsOfPlan(context.facts, plan)) plan.AddNote(std::move(note));
  return plan;
}

Result<EditPlan> PlanRewrite(const ImageSource& images, RewriteRules rules) {
  CKPT_TRY(const auto fields, ReadRoleFields(images));
  RewriteContext context{images, fields, rules};
  EditPlan plan;
  CKPT_TRY(RunPasses<ProposeRewrites>(context, plan));
  return plan;
}

}  // namespace ckpt
