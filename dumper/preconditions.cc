#include "dumper/preconditions.h"

#include <unistd.h>

#include "process/task_stat.h"

namespace ckpt {

namespace {

constexpr uint32_t kPfKthread = 0x00200000;  // include/linux/sched.h

}  // namespace

Result<> CheckBeforeFreeze(pid_t pid) {
  const Result<TaskStat> stat = ReadTaskStat(pid);
  if (stat.has_error() && stat.error().code == ErrorCode::kNotFound) {
    return MakeError(ErrorCode::kNotFound, "no process {}", pid);
  }
  CKPT_TRY(const TaskStat found, stat);
  CKPT_TRY(const TaskStatus status, ReadTaskStatus(pid));
  if (status.tgid != pid) {
    return MakeError(ErrorCode::kNotFound, "{} is a thread of process {}", pid, status.tgid);
  }
  if (pid == getpid()) return MakeError(ErrorCode::kUnsupported, "process {} is this one", pid);
  if (found.state == 'Z') return MakeError(ErrorCode::kUnsupported, "process {} is a zombie", pid);
  if ((found.flags & kPfKthread) != 0) {
    return MakeError(ErrorCode::kUnsupported, "process {} is a kernel thread", pid);
  }
  return success();
}

void CheckPreconditions(const std::vector<TaskStatus>& statuses, Refusals& refusals) {
  for (const TaskStatus& status : statuses) {
    if (status.seccomp_mode != 0) {
      refusals.Add("thread {} is in seccomp mode {}: not supported yet", status.pid,
                   status.seccomp_mode);
    }
  }
}

}  // namespace ckpt
