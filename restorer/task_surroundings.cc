#include "restorer/task_surroundings.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace ckpt {

namespace {

constexpr unsigned kLastDescriptor = ~0U;

// This thread with other user ids, as a file's owner was recorded with; the ids of before come
// back. By system calls: the C library's functions change all threads.
class BorrowedUser {
 public:
  BorrowedUser(uid_t uid, uid_t euid) {
    syscall(SYS_getresuid, &real_, &effective_, &saved_);
    changed_ = uid != real_ || euid != effective_;
    if (changed_) failed_ = syscall(SYS_setresuid, uid, euid, -1) < 0 ? errno : 0;
  }
  BorrowedUser(const BorrowedUser&) = delete;
  BorrowedUser& operator=(const BorrowedUser&) = delete;
  ~BorrowedUser() {
    if (changed_) syscall(SYS_setresuid, real_, effective_, saved_);
  }
  int error() const { return failed_; }

 private:
  uid_t real_ = 0, effective_ = 0, saved_ = 0;
  bool changed_ = false;
  int failed_ = 0;
};

Result<> SetFileOwner(int fd, const FilePlan& file, const FileOwnerPlan& owner) {
  if (owner.signal != 0 && fcntl(fd, F_SETSIG, owner.signal) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "{}: fcntl(F_SETSIG, {})", file.place, owner.signal);
  }
  if (owner.pid == 0) return success();
  const BorrowedUser user(owner.uid, owner.euid);
  if (user.error() != 0) {
    return ErrnoError(user.error(), "{}: setresuid({}, {}, -1)", file.place, owner.uid, owner.euid);
  }
  const f_owner_ex who{static_cast<__pid_type>(owner.pid_type), owner.pid};
  if (fcntl(fd, F_SETOWN_EX, &who) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "{}: fcntl(F_SETOWN_EX, type {}, {})", file.place, owner.pid_type,
                      owner.pid);
  }
  return success();
}

// Closes the descriptors from `first` to `last`, both included.
Result<> CloseRange(RemoteCalls& calls, unsigned first, unsigned last) {
  if (first > last) return success();
  return calls.Call(fmt::format("close_range({}, {})", first, last), SYS_close_range,
                    {first, last, 0});
}

}  // namespace

Result<> SetDirectories(RestoredTask& task) {
  const TaskPlan& plan = *task.plan;
  RemoteCalls calls = task.Calls();
  if (task.changes_root) {
    CKPT_TRY(calls.MakeRoom(2, 16));
    const RemotePtr here = calls.PutString(".");
    calls.Add("fchdir to the root", SYS_fchdir, {task.files->Directory(plan.root_file_id)});
    calls.Add("chroot(\".\")", SYS_chroot, {here});
  }
  CKPT_TRY(calls.Call("fchdir to the working directory", SYS_fchdir,
                      {task.files->Directory(plan.cwd_file_id)}));
  if (plan.umask) CKPT_TRY(calls.Call("umask", SYS_umask, {*plan.umask}));
  return calls.Flush();
}

Result<> SetDescriptors(RestoredTask& task) {
  if (task.shares_descriptors) return success();
  RemoteCalls calls = task.Calls(2 * task.plan->descriptors.size());
  unsigned next = 0;
  for (const DescriptorPlan& descriptor : task.plan->descriptors) {
    const auto fd = static_cast<unsigned>(descriptor.fd);
    if (fd > 0) CKPT_TRY(CloseRange(calls, next, fd - 1));
    CKPT_TRY(calls.MakeRoom(1, 0));
    calls.Add(
        fmt::format("dup3 to {}", fd), SYS_dup3,
        {task.files->Description(descriptor.file_id), fd, descriptor.close_on_exec ? O_CLOEXEC : 0},
        descriptor.fd);
    next = fd + 1;
  }
  CKPT_TRY(CloseRange(calls, next, kLastDescriptor));
  return calls.Flush();
}

Result<> SetFileOwners(const RestorePlan& plan, const OpenedFiles& files,
                       const std::map<pid_t, pid_t>& ids, Log& log) {
  const bool has_own_numbers = (plan.namespaces.clone_flags & CLONE_NEWPID) != 0;
  std::set<uint32_t> open;
  for (const TaskPlan& task : plan.tasks) {
    for (const DescriptorPlan& descriptor : task.descriptors) open.insert(descriptor.file_id);
  }
  for (const uint32_t id : open) {
    const FilePlan& file = plan.files.at(id);
    if (!file.owner) continue;
    FileOwnerPlan owner = *file.owner;
    if (const auto known = ids.find(owner.pid); known != ids.end()) {
      owner.pid = known->second;
    } else if (has_own_numbers && owner.pid != 0) {
      log.Warning("{}: its owner {} is not there any more", file.place, owner.pid);
      owner.pid = 0;
    }
    CKPT_TRY(SetFileOwner(files.Description(id), file, owner));
  }
  return success();
}

}  // namespace ckpt
