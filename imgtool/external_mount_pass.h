// The pass that makes mounts external: those that a restorer has to be told about.
#ifndef IMGTOOL_EXTERNAL_MOUNT_PASS_H_
#define IMGTOOL_EXTERNAL_MOUNT_PASS_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct FixupContext;

inline constexpr char kExternalMountPass[] = "external-mounts";

// The keys that the user asked for, and those of unions that are not the root of their namespace:
// their mountpoints, see ExternalName. Namespaces that a restorer does not make are left alone.
// kNotFound: a key for a mountpoint at which nothing is mounted.
Result<> ProposeExternalMounts(const FixupContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_EXTERNAL_MOUNT_PASS_H_
