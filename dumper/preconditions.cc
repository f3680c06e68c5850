#include "dumper/preconditions.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/file.h"
#include "process/task_stat.h"

namespace ckpt {

namespace {

constexpr uint32_t kPfKthread = 0x00200000;  // include/linux/sched.h

constexpr std::array kNamespaces = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

Result<> CheckNamespaces(pid_t pid, Refusals& refusals) {
  for (const char* name : kNamespaces) {
    const Result<std::string> own = ReadLink(fmt::format("/proc/self/ns/{}", name));
    if (own.has_error()) continue;  // the kernel has no such namespaces
    CKPT_TRY(const std::string other, ReadLink(fmt::format("/proc/{}/ns/{}", pid, name)));
    if (own.value() != other) {
      refusals.Add("it is in another {} namespace, {}: not supported yet", name, other);
    }
  }
  return success();
}

void CheckSeccomp(const std::vector<TaskStatus>& statuses, Refusals& refusals) {
  for (const TaskStatus& status : statuses) {
    if (status.seccomp_mode != 0) {
      refusals.Add("thread {} is in seccomp mode {}: not supported yet", status.pid,
                   status.seccomp_mode);
    }
  }
}

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

Result<> CheckPreconditions(pid_t pid, const std::vector<TaskStatus>& statuses,
                            Refusals& refusals) {
  CKPT_TRY(CheckNamespaces(pid, refusals));
  CheckSeccomp(statuses, refusals);
  return success();
}

}  // namespace ckpt
