#include "restorer/findings.h"

#include <algorithm>
#include <string>

namespace ckpt {

void Findings::Add(Error error) {
  const auto same = [&](const Error& other) { return other.message == error.message; };
  if (std::ranges::none_of(errors_, same)) errors_.push_back(std::move(error));
}

Result<> Findings::AsResult() const {
  if (errors_.empty()) return success();
  std::string lines;
  for (const Error& error : errors_) {
    if (!lines.empty()) lines += '\n';
    lines += error.message;
  }
  return Error{errors_.front().code, std::move(lines)};
}

}  // namespace ckpt
