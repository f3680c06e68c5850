// The pass that repairs the mounts which files say they were opened through.
#ifndef IMGTOOL_MOUNT_ID_PASS_H_
#define IMGTOOL_MOUNT_ID_PASS_H_

#include "base/result.h"
#include "imgtool/dump_facts.h"
#include "imgtool/edit_plan.h"
#include "imgtool/path_repair.h"

namespace ckpt {

struct FixupContext;

inline constexpr char kMountIdPass[] = "mount-ids";

// What mnt_id of a repaired file has to be: the mount that its new name leads to where the dump
// holds the mount namespace; else the union's as it was recorded; else absent, which means no mount
// at all.
FieldValue MountIdOf(const PathRepair& repair, const DumpFacts& facts);

// reg_file_entry.mnt_id of every repaired file, and of every other one whose mount no mountpoints
// image lists while there are some (CRIU aborts at such an id): the mount that owns the path, or
// absent. Without mountpoints images ids of files that are not repaired stay.
Result<> ProposeMountIds(const FixupContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_MOUNT_ID_PASS_H_
