#include "imgtool/file_uses.h"

#include "formats/vma_status.h"

namespace ckpt {

FileUse& FileUses::Use(uint64_t file_id, std::optional<uint32_t> mnt_ns_id) {
  FileUse& use = uses_[static_cast<uint32_t>(file_id)];
  if (mnt_ns_id) use.mnt_ns_ids.insert(*mnt_ns_id);
  return use;
}

void FileUses::AddVma(const pb::vma_entry& vma, std::optional<uint32_t> mnt_ns_id) {
  if ((vma.status() & (kVmaFilePrivate | kVmaFileShared)) == 0) return;
  Use(vma.shmid(), mnt_ns_id).mapped = true;
}

void FileUses::AddTask(const TaskImages& task) {
  if (task.mm) {
    Use(task.mm->exe_file_id(), task.mnt_ns_id).other = true;
    for (const pb::vma_entry& vma : task.mm->vmas()) AddVma(vma, task.mnt_ns_id);
  }
  for (const pb::vma_entry& vma : task.old_vmas) AddVma(vma, task.mnt_ns_id);
  if (task.fs) {
    Use(task.fs->cwd_id(), task.mnt_ns_id).other = true;
    Use(task.fs->root_id(), task.mnt_ns_id).other = true;
  }
  for (const pb::fdinfo_entry& descriptor : task.descriptors) {
    Use(descriptor.id(), task.mnt_ns_id).other = true;
  }
}

const FileUse& FileUses::Get(uint32_t file_id) const {
  static const FileUse kUnused;
  const auto found = uses_.find(file_id);
  return found == uses_.end() ? kUnused : found->second;
}

}  // namespace ckpt
