// The corpus of one fuzz target: what fuzzers reached new code with, and everything that they found
// wrong, once more. A target aborts where something is wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/harness/command.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace ckpt {
namespace {

TEST(Corpus, EachInputPasses) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(RunfilePath(CKPT_CORPUS))) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  EXPECT_FALSE(paths.empty());
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const auto bytes = ReadWholeFile(path);
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message;
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.value().data()),
                                     bytes.value().size()),
              0);
  }
}

}  // namespace
}  // namespace ckpt
