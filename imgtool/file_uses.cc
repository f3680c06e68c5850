#include "imgtool/file_uses.h"

#include "formats/vma_status.h"

namespace ckpt {

FileUse& FileUses::Use(uint64_t file_id, const TaskImages& task) {
  FileUse& use = uses_[static_cast<uint32_t>(file_id)];
  if (task.mnt_ns_id) use.mnt_ns_ids.insert(*task.mnt_ns_id);
  if (!task.root.empty()) use.roots.insert(task.root);
  return use;
}

void FileUses::AddVma(const pb::vma_entry& vma, const TaskImages& task) {
  if ((vma.status() & (kVmaFilePrivate | kVmaFileShared)) == 0) return;
  Use(vma.shmid(), task).mapped = true;
}

void FileUses::AddTask(const TaskImages& task) {
  if (task.mm) {
    Use(task.mm->exe_file_id(), task).other = true;
    for (const pb::vma_entry& vma : task.mm->vmas()) AddVma(vma, task);
  }
  for (const pb::vma_entry& vma : task.old_vmas) AddVma(vma, task);
  if (task.fs) {
    Use(task.fs->cwd_id(), task).other = true;
    Use(task.fs->root_id(), task).other = true;
  }
  for (const pb::fdinfo_entry& descriptor : task.descriptors) {
    Use(descriptor.id(), task).other = true;
  }
}

const FileUse& FileUses::Get(uint32_t file_id) const {
  static const FileUse kUnused;
  const auto found = uses_.find(file_id);
  return found == uses_.end() ? kUnused : found->second;
}

}  // namespace ckpt
