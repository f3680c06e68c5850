// What an archive may make us do. Archives come from strangers.
#ifndef IMGTOOL_ARCHIVE_LIMITS_H_
#define IMGTOOL_ARCHIVE_LIMITS_H_

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstdint>

namespace ckpt {

// Each has an option that raises it.
struct ArchiveLimits {
  uint64_t max_unpacked_bytes = uint64_t{256} << 30;
  uint64_t max_members = uint64_t{1} << 18;
  // Of unpacked bytes to packed ones. Memory that was touched and left at zeros packs better than
  // that, but is seldom all that there is in a dump.
  uint64_t max_ratio = 1000;
  uint64_t max_image_bytes = uint64_t{1} << 30;  // of all images that are read into memory
};

// --max-unpacked, --max-members and --max-ratio.
void AddArchiveLimitOptions(boost::program_options::options_description& options);
// --max-images.
void AddImageLimitOption(boost::program_options::options_description& options);
// Of the options that the command has; the others are as they are by themselves.
ArchiveLimits ReadArchiveLimits(const boost::program_options::variables_map& given);

}  // namespace ckpt

#endif  // IMGTOOL_ARCHIVE_LIMITS_H_
