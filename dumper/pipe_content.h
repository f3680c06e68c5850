// What the pipes and named pipes (FIFOs) of a frozen tree hold.
#ifndef DUMPER_PIPE_CONTENT_H_
#define DUMPER_PIPE_CONTENT_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "dumper/open_description.h"
#include "dumper/refusals.h"
#include "formats/proto/pipes.pb.h"

namespace ckpt {

// An entry of pipes-data.img or fifo-data.img and the bytes after it.
struct PipeContent {
  pb::pipe_data_entry entry;
  std::string bytes;
};

bool IsPipe(const LinkedFile& file);
// A FIFO by its path.
bool IsFifo(const LinkedFile& file);

// Ends of what is one pipe have one id.
uint32_t PipeIdOf(const OpenDescription& end);

// Copies what the pipes among `ends` hold and leaves it there. `ends` are of pipes only, or of
// FIFOs only, and all that the tree has. A pipe of which a process outside has the other end goes
// to `refusals`.
Result<std::vector<PipeContent>> CollectPipeContents(
    const std::vector<const OpenDescription*>& ends, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_PIPE_CONTENT_H_
