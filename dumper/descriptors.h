// The open descriptors of a frozen process.
#ifndef DUMPER_DESCRIPTORS_H_
#define DUMPER_DESCRIPTORS_H_

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/pipe_content.h"
#include "dumper/refusals.h"
#include "formats/proto/files.pb.h"

namespace ckpt {

struct Descriptors {
  std::vector<pb::fdinfo_entry> fds;  // by number
  std::vector<PipeContent> pipes;
  std::vector<PipeContent> fifos;
};

// Adds a file entry for each open file description of `pid`, which is frozen, to `files`:
// descriptors that share one (dup, kcmp(2)) have one entry. What cannot be dumped goes to
// `refusals`.
Result<Descriptors> CollectDescriptors(pid_t pid, FileTable& files, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_DESCRIPTORS_H_
