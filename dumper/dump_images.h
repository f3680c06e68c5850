// The images of a dump, from a snapshot.
#ifndef DUMPER_DUMP_IMAGES_H_
#define DUMPER_DUMP_IMAGES_H_

#include "base/result.h"
#include "base/staged_file_set.h"
#include "dumper/snapshot.h"

namespace ckpt {

// Adds every image but pages-1.img to `files`. Nothing appears before its Commit().
Result<> AddImages(const Snapshot& snapshot, StagedFileSet& files);

inline constexpr mode_t kImageMode = 0644;

}  // namespace ckpt

#endif  // DUMPER_DUMP_IMAGES_H_
