// What stands in the way of a restore, collected so that all of it is told at once.
#ifndef RESTORER_FINDINGS_H_
#define RESTORER_FINDINGS_H_

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ckpt {

class Findings {
 public:
  // The same message twice is one finding.
  void Add(Error error);

  template <typename... Args>
  void Unsupported(fmt::format_string<Args...> text, Args&&... args) {
    Add(MakeError(ErrorCode::kUnsupported, text, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void BadFormat(fmt::format_string<Args...> text, Args&&... args) {
    Add(MakeError(ErrorCode::kBadFormat, text, std::forward<Args>(args)...));
  }

  // The value, or nothing and the error is a finding.
  template <typename T>
  std::optional<T> Keep(Result<T> result) {
    if (result.has_value()) return std::move(result).value();
    Add(std::move(result).error());
    return std::nullopt;
  }

  bool empty() const { return errors_.empty(); }

  // Success without findings; else one error: the code of the first, the messages as lines.
  Result<> AsResult() const;

 private:
  std::vector<Error> errors_;
};

}  // namespace ckpt

#endif  // RESTORER_FINDINGS_H_
