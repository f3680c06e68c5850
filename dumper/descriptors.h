// The open descriptors of a frozen process.
#ifndef DUMPER_DESCRIPTORS_H_
#define DUMPER_DESCRIPTORS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/refusals.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/pipes.pb.h"

namespace ckpt {

// What a pipe holds: an entry of pipes-data.img and the bytes after it.
struct PipeContent {
  pb::pipe_data_entry entry;
  std::string bytes;
};

struct Descriptors {
  std::vector<pb::fdinfo_entry> fds;  // by number
  std::vector<PipeContent> pipes;
};

// Adds a file entry for each open file description of `pid`, which is frozen, to `files`:
// descriptors that share one (dup, kcmp(2)) have one entry. What cannot be dumped goes to
// `refusals`.
Result<Descriptors> CollectDescriptors(pid_t pid, FileTable& files, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_DESCRIPTORS_H_
