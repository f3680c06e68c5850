// From images to a plan: everything that can be known without a process is judged here.
#ifndef RESTORER_PLAN_BUILDER_H_
#define RESTORER_PLAN_BUILDER_H_

#include <string>

#include "base/result.h"
#include "restorer/dump_images.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// What the command line says of the place of the restore.
struct RestorePlace {
  std::string root = {};  // the directory for the root; may be empty
  ExternalMounts external_mounts = {};
  CgroupOptions cgroups = {};
};

// The error tells all that is wrong with the images, and all in them that is not supported, a line
// each.
Result<RestorePlan> BuildRestorePlan(const DumpImages& images, const RestorePlace& place = {});

}  // namespace ckpt

#endif  // RESTORER_PLAN_BUILDER_H_
