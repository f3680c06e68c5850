// Opens named pipes (FIFOs) of a dump again and puts back what they held.
#ifndef RESTORER_FIFO_MAKER_H_
#define RESTORER_FIFO_MAKER_H_

#include <cstdint>
#include <map>
#include <span>

#include "base/file.h"
#include "base/result.h"
#include "restorer/path_opener.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// A description for each of `ends`, by file id, all of which are of one FIFO. A FIFO that already
// holds something is an error: somebody else has it open.
Result<std::map<uint32_t, UniqueFd>> MakeFifo(const PipePlan& fifo,
                                              std::span<const FilePlan* const> ends,
                                              const PathOpener& opener);

}  // namespace ckpt

#endif  // RESTORER_FIFO_MAKER_H_
