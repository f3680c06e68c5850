#include "imgtool/archive_limits.h"

#include <boost/program_options/value_semantic.hpp>

namespace ckpt {

namespace po = boost::program_options;

void AddArchiveLimitOptions(po::options_description& options) {
  const ArchiveLimits limits;
  options.add_options()(
      "max-unpacked",
      po::value<uint64_t>()->value_name("BYTES")->default_value(limits.max_unpacked_bytes),
      "what an archive may unpack to");
  options.add_options()(
      "max-members", po::value<uint64_t>()->value_name("COUNT")->default_value(limits.max_members),
      "how many members an archive may have");
  options.add_options()(
      "max-images",
      po::value<uint64_t>()->value_name("BYTES")->default_value(limits.max_image_bytes),
      "how much memory the images of an archive may take");
}

ArchiveLimits ReadArchiveLimits(const po::variables_map& given) {
  return {.max_unpacked_bytes = given["max-unpacked"].as<uint64_t>(),
          .max_members = given["max-members"].as<uint64_t>(),
          .max_image_bytes = given["max-images"].as<uint64_t>()};
}

}  // namespace ckpt
