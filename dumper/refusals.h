// What a process has that cannot be dumped, collected so that all of it is named at once.
#ifndef DUMPER_REFUSALS_H_
#define DUMPER_REFUSALS_H_

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ckpt {

class Refusals {
 public:
  template <typename... Args>
  void Add(fmt::format_string<Args...> text, Args&&... args) {
    findings_.push_back(prefix_ + fmt::format(text, std::forward<Args>(args)...));
  }

  // What the findings that follow begin with.
  void SetPrefix(std::string prefix) { prefix_ = std::move(prefix); }

  const std::vector<std::string>& findings() const { return findings_; }

  // kUnsupported with every finding, one a line, or success where there is none.
  Result<> AsResult(pid_t pid) const;

 private:
  std::string prefix_;
  std::vector<std::string> findings_;
};

}  // namespace ckpt

#endif  // DUMPER_REFUSALS_H_
