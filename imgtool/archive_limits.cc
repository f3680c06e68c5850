#include "imgtool/archive_limits.h"

#include <algorithm>
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
      "max-ratio", po::value<uint64_t>()->value_name("TIMES")->default_value(limits.max_ratio),
      "how many times its size a compressed archive may unpack to, beyond 256 MiB");
}

void AddImageLimitOption(po::options_description& options) {
  const ArchiveLimits limits;
  options.add_options()(
      "max-images",
      po::value<uint64_t>()->value_name("BYTES")->default_value(limits.max_image_bytes),
      "how much memory the images of an archive may take");
}

ArchiveLimits ReadArchiveLimits(const po::variables_map& given) {
  ArchiveLimits limits;
  limits.max_unpacked_bytes = given["max-unpacked"].as<uint64_t>();
  limits.max_members = given["max-members"].as<uint64_t>();
  limits.max_ratio = std::max<uint64_t>(1, given["max-ratio"].as<uint64_t>());
  if (given.count("max-images") > 0) limits.max_image_bytes = given["max-images"].as<uint64_t>();
  return limits;
}

}  // namespace ckpt
