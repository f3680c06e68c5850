// Which kernel objects processes share, as the numbers of ids-*.img, by kcmp(2).
#ifndef DUMPER_KERNEL_OBJECTS_H_
#define DUMPER_KERNEL_OBJECTS_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "dumper/refusals.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

// Objects of one kind, told apart by processes that have them.
class ObjectClasses {
 public:
  // `kcmp_type` is KCMP_VM and the like. Ids are counted from `first_id` on.
  ObjectClasses(int kcmp_type, uint32_t first_id) : kcmp_type_(kcmp_type), next_id_(first_id) {}

  struct Object {
    pid_t first_pid = 0;  // of those asked for that have it
    uint32_t id = 0;
  };
  Result<Object> Identify(pid_t pid);

 private:
  int kcmp_type_;
  uint32_t next_id_;
  std::vector<Object> objects_;  // by the order that kcmp(2) tells
};

// The objects of a tree whose processes are frozen.
class KernelObjects {
 public:
  KernelObjects();

  // Sets vm_id, files_id, fs_id and sighand_id. Memory or signal handlers that another process of
  // the tree has as well (CLONE_VM, vfork(2)) go to `refusals`: no restorer brings that back.
  Result<> Identify(pid_t pid, pb::task_kobj_ids_entry* ids, Refusals& refusals);

  // Whether no process before the one identified last has its descriptor table (CLONE_FILES).
  bool descriptors_are_new() const { return descriptors_are_new_; }

 private:
  ObjectClasses memory_;
  ObjectClasses descriptors_;
  ObjectClasses directories_;
  ObjectClasses signal_handlers_;
  bool descriptors_are_new_ = false;
};

}  // namespace ckpt

#endif  // DUMPER_KERNEL_OBJECTS_H_
