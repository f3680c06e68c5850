// The images of a dump, from a snapshot.
#ifndef DUMPER_DUMP_IMAGES_H_
#define DUMPER_DUMP_IMAGES_H_

#include "base/result.h"
#include "base/staged_file_set.h"
#include "dumper/snapshot.h"

namespace ckpt {

// Adds every image but pages-*.img to `files`. Nothing appears before its Commit().
Result<> AddImages(const Snapshot& snapshot, StagedFileSet& files);

// The dumper's own, where a task is in its namespaces: equal ids tell a restorer to stay in its
// own.
void FillOwnNamespaceIds(pb::task_kobj_ids_entry* ids);

inline constexpr mode_t kImageMode = 0644;

}  // namespace ckpt

#endif  // DUMPER_DUMP_IMAGES_H_
