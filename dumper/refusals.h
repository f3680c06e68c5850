// What a process has that cannot be dumped, collected so that all of it is named at once.
#ifndef DUMPER_REFUSALS_H_
#define DUMPER_REFUSALS_H_

#include <fmt/format.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ckpt {

class Refusals {
 public:
  template <typename... Args>
  void Add(fmt::format_string<Args...> text, Args&&... args) {
    findings_.push_back(Prefix() + fmt::format(text, std::forward<Args>(args)...));
  }

  // The findings that follow are about `pid`, and begin with its number unless it is `root`.
  void SetRoot(pid_t root) { root_ = root; }
  void SetProcess(pid_t pid) { pid_ = pid; }

  const std::vector<std::string>& findings() const { return findings_; }

  // kUnsupported with every finding, one a line, or success where there is none.
  Result<> AsResult(pid_t pid) const;

 private:
  std::string Prefix() const {
    return pid_ == root_ ? std::string() : fmt::format("process {}: ", pid_);
  }

  pid_t root_ = 0;
  pid_t pid_ = 0;
  std::vector<std::string> findings_;
};

}  // namespace ckpt

#endif  // DUMPER_REFUSALS_H_
