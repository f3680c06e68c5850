// The options of all commands that write pages: how many threads, at which level.
#ifndef IMGTOOL_STORAGE_COMPRESSION_OPTIONS_H_
#define IMGTOOL_STORAGE_COMPRESSION_OPTIONS_H_

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include "base/progress.h"
#include "base/result.h"
#include "formats/page_compression.h"

namespace ckpt {

void AddThreadOption(boost::program_options::options_description& options);
void AddLevelOption(boost::program_options::options_description& options);

// kUsage: a level or a number of threads that cannot be. `progress` outlives what is returned.
Result<CompressionOptions> ReadCompressionOptions(
    const boost::program_options::variables_map& given, Progress& progress);

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_COMPRESSION_OPTIONS_H_
