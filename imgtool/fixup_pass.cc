#include "imgtool/fixup_pass.h"

#include <utility>

#include "imgtool/external_mount_pass.h"
#include "imgtool/ghost_pass.h"
#include "imgtool/mount_check.h"
#include "imgtool/mount_id_pass.h"
#include "imgtool/mount_pass.h"
#include "imgtool/name_pass.h"
#include "imgtool/path_pass.h"
#include "imgtool/stat_pass.h"

namespace ckpt {

namespace {

constexpr Pass kPasses[] = {
    {"paths", "names of regular files, from branch to union", ProposePaths},
    {"raw-facts", "the same names where ckpt-dump recorded them", ProposeRawFacts},
    {"mount-ids", "the mounts that files say they were opened through", ProposeMountIds},
    {"mounts", "root, source and options of the union mounts", ProposeMounts},
    {"external-mounts", "mounts that a restorer has to be told about", ProposeExternalMounts},
    {"stat", "size and mode, from the file in the union", ProposeStat},
    {"ghosts", "files that the union does not show any more", ProposeGhosts},
    {"names", "paths of sockets, watches and the cache of watched inodes", ProposeNames},
    {"watches", "paths for file handles, devices of watches and ghosts", ProposeWatches},
};

}  // namespace

std::span<const Pass> FixupPasses() { return kPasses; }

Result<EditPlan> PlanFixup(const FixupContext& context) {
  EditPlan plan;
  for (const PlanNote& note : context.repairs.notes) plan.AddNote(note);
  for (const Pass& pass : FixupPasses()) CKPT_TRY(pass.propose(context, plan));
  const DumpFacts& facts = context.facts;
  for (PlanNote& note : CheckMountsOfPlan(facts.mounts, facts.shared_mnt_ns_id, plan)) {
    plan.AddNote(std::move(note));
  }
  return plan;
}

}  // namespace ckpt
