// A running program of tests/programs: a process to dump, or one that was restored.
#ifndef TESTS_HARNESS_SUBJECT_H_
#define TESTS_HARNESS_SUBJECT_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

// The process is a child of the test, or will be: in its namespace orphans become its children.
// The destructor kills and reaps what still runs, its descendants too.
class Subject {
 public:
  // Starts the program in `workdir`, which must exist and be empty, and returns when it is ready.
  static Result<Subject> Start(const std::string& program, const std::string& workdir);
  // The same of a process that `spawn` makes, a child of the caller.
  static Result<Subject> StartBy(const std::function<Result<pid_t>()>& spawn,
                                 const std::string& workdir);
  // A process that a restore brought back.
  static Result<Subject> Adopt(pid_t pid, const std::string& workdir);

  Subject(Subject&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        workdir_(std::move(other.workdir_)),
        pidfd_(std::move(other.pidfd_)) {}
  Subject& operator=(Subject&&) = delete;
  ~Subject();

  pid_t pid() const { return pid_; }

  Result<> Signal(int number);

  // Tells it to verify what it has, and returns its verdict: "pass" or "fail: ...". Without a
  // verdict, how it ended.
  Result<std::string> Verdict();

  // Waits for its end and reaps it: after this the pid is free.
  Result<int> AwaitEnd();

  // The state letter of /proc/PID/stat.
  Result<char> State() const;

  // Waits until a stop signal took effect.
  Result<> AwaitStop();

 private:
  Subject(pid_t pid, std::string workdir, UniqueFd pidfd)
      : pid_(pid), workdir_(std::move(workdir)), pidfd_(std::move(pidfd)) {}

  Result<> AwaitReady(int inotify_fd);

  pid_t pid_;  // 0 once reaped
  std::string workdir_;
  UniqueFd pidfd_;
};

}  // namespace ckpt

#endif  // TESTS_HARNESS_SUBJECT_H_
