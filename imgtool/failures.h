// What goes wrong in a command that carries on with its other inputs.
#ifndef IMGTOOL_FAILURES_H_
#define IMGTOOL_FAILURES_H_

#include <fmt/ostream.h>

#include <ostream>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// Prints each failure on a line of its own and remembers the exit code: that of the first.
class Failures {
 public:
  // `place` goes before each message: "imgtool show". It must outlive this object, as `err` must.
  Failures(std::string_view place, std::ostream& err) : place_(place), err_(err) {}

  void Report(const Error& error) {
    Note(error.message);
    if (exit_code_ == kExitDone) exit_code_ = static_cast<int>(error.code);
  }

  // A line that does not change the exit code.
  void Note(std::string_view message) { fmt::print(err_, "{}: {}\n", place_, message); }

  int exit_code() const { return exit_code_; }

 private:
  std::string_view place_;
  std::ostream& err_;
  int exit_code_ = kExitDone;
};

}  // namespace ckpt

#endif  // IMGTOOL_FAILURES_H_
