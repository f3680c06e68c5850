#include "imgtool/storage/compression_options.h"

#include <fmt/format.h>

#include <boost/program_options/value_semantic.hpp>

namespace ckpt {

namespace {

namespace po = boost::program_options;

// More would only wait for each other.
constexpr int kMaxThreads = 1024;

}  // namespace

void AddThreadOption(po::options_description& options) {
  options.add_options()("threads,j", po::value<int>()->value_name("N"),
                        "how many threads work; all processors unless given");
}

void AddLevelOption(po::options_description& options) {
  static const std::string help = fmt::format("of zstd, {} to {}; {} unless given", kMinPageLevel,
                                              kMaxPageLevel, kDefaultPageLevel);
  options.add_options()("level,l", po::value<int>()->value_name("LEVEL"), help.c_str());
}

Result<CompressionOptions> ReadCompressionOptions(const po::variables_map& given,
                                                  Progress& progress) {
  CompressionOptions options;
  if (given.count("level") > 0) options.level = given["level"].as<int>();
  if (options.level < kMinPageLevel || options.level > kMaxPageLevel) {
    return MakeError(ErrorCode::kUsage, "--level {}: {} to {} are allowed", options.level,
                     kMinPageLevel, kMaxPageLevel);
  }
  if (given.count("threads") > 0) {
    const int threads = given["threads"].as<int>();
    if (threads < 1 || threads > kMaxThreads) {
      return MakeError(ErrorCode::kUsage, "--threads {}: 1 to {} are allowed", threads,
                       kMaxThreads);
    }
    options.thread_count = static_cast<size_t>(threads);
  }
  options.progress = [&progress](uint64_t done_bytes, uint64_t total_bytes) -> Result<> {
    progress.Update(done_bytes, total_bytes);
    return success();
  };
  return options;
}

}  // namespace ckpt
