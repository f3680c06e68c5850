#include "base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ckpt {

namespace {

ErrorCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EPERM:
    case EACCES:
      return ErrorCode::kPermission;
    case ESRCH:
      return ErrorCode::kProcessGone;
    default:
      return ErrorCode::kSystem;
  }
}

}  // namespace

Error ErrnoErrorText(int error_number, std::string call) {
  const char* name = strerrorname_np(error_number);
  return MakeError(CodeOfErrno(error_number), "{}: {} ({})", call, strerrordesc_np(error_number),
                   name == nullptr ? "unknown errno" : name);
}

void InvariantFailed(const char* condition, const char* file, int line) {
  fmt::print(stderr, "internal error: {} does not hold at {}:{}\n", condition, file, line);
  std::_Exit(static_cast<int>(ErrorCode::kInternal));
}

}  // namespace ckpt
