// Pages compressed on their way to the disk, once the processes run again: from the buffers of the
// page stage, or, where those did not hold everything, from files without a name that took what was
// read under the freeze.
#ifndef DUMPER_COMPRESSED_PAGES_H_
#define DUMPER_COMPRESSED_PAGES_H_

#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "dumper/page_stage.h"
#include "formats/page_compression.h"

namespace ckpt {

// An empty file for plain pages, in `directory`, that goes with its descriptor.
Result<UniqueFd> CreateSpool(const std::string& directory);

// `fds` has the empty file of each source of the stage, whose pages are all in its buffers.
Result<> CompressBuffers(const PageStage& stage, std::span<const int> fds,
                         const CompressionOptions& options);

// `fds` has the empty file for what each of `spools` holds.
Result<> CompressSpools(std::span<const UniqueFd> spools, std::span<const int> fds,
                        const CompressionOptions& options);

}  // namespace ckpt

#endif  // DUMPER_COMPRESSED_PAGES_H_
