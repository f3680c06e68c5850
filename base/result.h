// What can fail returns Result<T>: a value, or an Error whose code says what the caller can do and
// whose message says where, what was found and what was allowed.
#ifndef BASE_RESULT_H_
#define BASE_RESULT_H_

#include <fmt/format.h>

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <string>
#include <utility>

namespace ckpt {

// The exit code of every program of the project is the code of the error it ended with.
enum class ErrorCode : int {
  kUsage = 2,        // the command line is wrong
  kNotFound = 3,     // a named file, pid or type does not exist
  kBadFormat = 4,    // the input bytes break the format
  kUnsupported = 5,  // well-formed, but beyond us
  kPermission = 6,   // the kernel said EPERM or EACCES
  kProcessGone = 7,  // the process went away
  kSystem = 8,       // any other failed system call
  kInternal = 70,    // our own bug
};

// Exit codes that are not errors.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFindings = 1;

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  // Lower case, no full stop: place, what was found, what was allowed.
  std::string message;

  // The same error seen from further out: "context: message".
  Error In(std::string_view context) && {
    message = fmt::format("{}: {}", context, message);
    return std::move(*this);
  }
};

template <typename T = void>
using Result = boost::outcome_v2::basic_result<T, Error, boost::outcome_v2::policy::terminate>;

using boost::outcome_v2::failure;
using boost::outcome_v2::success;

// CKPT_TRY(expr) or CKPT_TRY(auto value, expr): returns the error of expr from this function.
// (Boost 1.74's own TRY cannot declare a value of a named type.)
#define CKPT_TRY(...) CKPT_TRY_CHOOSE(__VA_ARGS__, VALUE, VALUE, VALUE, VALUE, VOID)(__VA_ARGS__)
#define CKPT_TRY_CHOOSE(a, b, c, d, e, chosen, ...) CKPT_TRY_##chosen
#define CKPT_TRY_VOID(...)                                       \
  if (auto ckpt_result = (__VA_ARGS__); ckpt_result.has_error()) \
  return std::move(ckpt_result).error()
#define CKPT_TRY_VALUE(declaration, ...) \
  CKPT_TRY_VALUE_NAMED(CKPT_JOIN(ckpt_result_, __COUNTER__), declaration, __VA_ARGS__)
#define CKPT_TRY_VALUE_NAMED(name, declaration, ...)    \
  auto name = (__VA_ARGS__);                            \
  if (name.has_error()) return std::move(name).error(); \
  declaration = std::move(name).value()
#define CKPT_JOIN(a, b) CKPT_JOIN_NOW(a, b)
#define CKPT_JOIN_NOW(a, b) a##b

template <typename... Args>
Error MakeError(ErrorCode code, fmt::format_string<Args...> text, Args&&... args) {
  return Error{code, fmt::format(text, std::forward<Args>(args)...)};
}

// The error of a failed system call; `error_number` is errno, saved on the line after the call, and
// `call` the call with its arguments, or the path it was about. Example:
//   ErrnoError(saved, "openat(AT_FDCWD, \"{}\", O_RDONLY)", path)
Error ErrnoErrorText(int error_number, std::string call);

template <typename... Args>
Error ErrnoError(int error_number, fmt::format_string<Args...> call, Args&&... args) {
  return ErrnoErrorText(error_number, fmt::format(call, std::forward<Args>(args)...));
}

// Ends the program with exit code 70 when one of our own invariants does not hold. Never for input.
[[noreturn]] void InvariantFailed(const char* condition, const char* file, int line);
#define CKPT_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::ckpt::InvariantFailed(#condition, __FILE__, __LINE__))

}  // namespace ckpt

#endif  // BASE_RESULT_H_
