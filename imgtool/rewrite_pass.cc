#include "imgtool/rewrite_pass.h"

#include <utility>

#include "imgtool/anonymise_pass.h"
#include "imgtool/cgroup_pass.h"
#include "imgtool/network_passes.h"
#include "imgtool/rename_passes.h"
#include "imgtool/restat_pass.h"

namespace ckpt {

namespace {

constexpr RewritePass kPasses[] = {
    {"paths", "paths of the tasks", RenamePaths},
    {"mounts", "sources of mounts", RenameMounts},
    {"external-mounts", "keys of external mounts", NameExternalMounts},
    {"restat", "sizes and modes of files", Restat},
    {"ports", "ports of sockets", RenamePorts},
    {"addresses", "addresses of sockets, devices and routes", RenameAddresses},
    {"cgroups", "paths of cgroups", RenameCgroups},
    {"hostname", "the name of the host", RenameHost},
    {"ids", "user and group ids", ShiftIds},
    {"anonymise", "memory, paths and names", Anonymise},
};

}  // namespace

std::span<const RewritePass> RewritePasses() { return kPasses; }

Result<EditPlan> PlanRewrite(const ImageSource& images, RewriteRules rules) {
  CKPT_TRY(const auto fields, ReadRoleFields(images));
  RewriteContext context{images, fields, rules};
  EditPlan plan;
  for (const RewritePass& pass : RewritePasses()) CKPT_TRY(pass.propose(context, plan));
  return plan;
}

}  // namespace ckpt
