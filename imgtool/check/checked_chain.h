// A dump directory and the older ones that it builds on, open to be checked.
#ifndef IMGTOOL_CHECK_CHECKED_CHAIN_H_
#define IMGTOOL_CHECK_CHECKED_CHAIN_H_

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/check/check_dump.h"

namespace ckpt {

class CheckedChain {
 public:
  // Lists the directories; reads no image. A parent that cannot be opened is a finding of the dump
  // that names it, not an error.
  static Result<CheckedChain> Open(const std::string& directory);

  const CheckedDump& dump() const { return *layers_.front().dump; }

 private:
  struct Layer {
    std::unique_ptr<CheckSource> source;
    std::unique_ptr<CheckedDump> dump;
  };

  std::vector<Layer> layers_;  // youngest first
};

}  // namespace ckpt

#endif  // IMGTOOL_CHECK_CHECKED_CHAIN_H_
