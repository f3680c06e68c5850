// Makes the pipes of a dump again: capacity, content, and a description for each that it had.
#ifndef RESTORER_PIPE_MAKER_H_
#define RESTORER_PIPE_MAKER_H_

#include <cstdint>
#include <map>
#include <span>

#include "base/file.h"
#include "base/result.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// One pipe with a description for each of `ends`, by file id. An end that no description has is
// closed, as it was when the pipe was dumped.
Result<std::map<uint32_t, UniqueFd>> MakePipe(const PipePlan& pipe,
                                              std::span<const FilePlan* const> ends);

// Capacity and content, by way of an end that does not block.
Result<> FillPipe(int fd, const PipePlan& pipe);

// What fcntl(F_SETFL) can set of the flags of `end`.
Result<> SetPipeFlags(int fd, const PipePlan& pipe, const FilePlan& end);

}  // namespace ckpt

#endif  // RESTORER_PIPE_MAKER_H_
