// A directory for what a fuzz target can only hand over as files.
#ifndef TESTS_FUZZ_SCRATCH_DIRECTORY_H_
#define TESTS_FUZZ_SCRATCH_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

class ScratchDirectory {
 public:
  ScratchDirectory() {
    const char* const base = getenv("TMPDIR");
    std::string name = std::string(base == nullptr ? "/tmp" : base) + "/ckpt-fuzz-XXXXXX";
    CKPT_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

  std::string Write(const std::string& name, std::string_view bytes) const {
    std::ofstream file(path_ + "/" + name, std::ios::binary | std::ios::trunc);
    file << bytes;
    CKPT_CHECK(file.flush().good());
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace ckpt

#endif  // TESTS_FUZZ_SCRATCH_DIRECTORY_H_
