#include "dumper/kernel_objects.h"

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "dumper/snapshot.h"

namespace ckpt {

namespace {

// What kcmp(2) returns, besides -1 for errors.
constexpr long kEqual = 0;
constexpr long kLess = 1;

}  // namespace

Result<ObjectClasses::Object> ObjectClasses::Identify(pid_t pid) {
  int error_number = 0;
  const auto compare = [&](const Object& object) {
    const long order = syscall(SYS_kcmp, object.first_pid, pid, kcmp_type_, 0, 0);
    if (order < 0) error_number = errno;
    return order;
  };
  bool found = false;
  const auto place = std::ranges::partition_point(objects_, [&](const Object& object) {
    const long order = compare(object);
    found = found || order == kEqual;
    return order == kLess;
  });
  if (error_number != 0) {
    return ErrnoError(error_number, "kcmp of process {}, type {}", pid, kcmp_type_);
  }
  if (found) return *place;
  return *objects_.insert(place, {.first_pid = pid, .id = next_id_++});
}

KernelObjects::KernelObjects()
    : memory_(KCMP_VM, kFirstTaskObjectsId),
      descriptors_(KCMP_FILES, kFirstTaskObjectsId),
      directories_(KCMP_FS, kFirstTaskObjectsId),
      signal_handlers_(KCMP_SIGHAND, kFirstTaskObjectsId) {}

Result<> KernelObjects::Identify(pid_t pid, pb::task_kobj_ids_entry* ids, Refusals& refusals) {
  CKPT_TRY(const auto memory, memory_.Identify(pid));
  CKPT_TRY(const auto descriptors, descriptors_.Identify(pid));
  CKPT_TRY(const auto directories, directories_.Identify(pid));
  CKPT_TRY(const auto signal_handlers, signal_handlers_.Identify(pid));
  if (memory.first_pid != pid) {
    refusals.Add("it shares its memory with process {} (CLONE_VM): not supported",
                 memory.first_pid);
  } else if (signal_handlers.first_pid != pid) {
    refusals.Add("it shares its signal handlers with process {} (CLONE_SIGHAND): not supported",
                 signal_handlers.first_pid);
  }
  ids->set_vm_id(memory.id);
  ids->set_files_id(descriptors.id);
  ids->set_fs_id(directories.id);
  ids->set_sighand_id(signal_handlers.id);
  descriptors_are_new_ = descriptors.first_pid == pid;
  return success();
}

}  // namespace ckpt
