#include "formats/check/checked_tasks.h"

namespace ckpt {

namespace {

bool IsDeadState(uint32_t state) { return state == kTaskStateDead || state == kTaskStateZombie; }

}  // namespace

CheckedTasks::CheckedTasks(const CheckedDump& dump)
    : inventory_(dump.FindFirst<pb::inventory_entry>(ImageType::kInventory)) {
  dump.ForEach<pb::pstree_entry>(
      ImageType::kPstree, [&](const EntryRef<pb::pstree_entry>& entry) { Add(dump, entry); });
}

void CheckedTasks::Add(const CheckedDump& dump, const EntryRef<pb::pstree_entry>& entry) {
  CheckedTask task;
  task.tree = entry;
  task.pid = entry.message->pid();
  const auto* core = dump.FindFirst<pb::core_entry>(ImageType::kCore, task.pid);
  task.ids = dump.FindFirst<pb::task_kobj_ids_entry>(ImageType::kIds, task.pid);
  task.ids_image = ImageFileName(ImageType::kIds, task.pid);
  if (task.ids == nullptr && core != nullptr && core->has_ids()) {
    task.ids = &core->ids();
    task.ids_image = ImageFileName(ImageType::kCore, task.pid);
  }
  task.is_dead = core == nullptr ? task.ids == nullptr
                                 : core->has_tc() && IsDeadState(core->tc().task_state());
  // Only the oldest dumps have a table for each task; without an inventory it is one of the others.
  const bool by_table = inventory_ == nullptr || inventory_->fdinfo_per_id();
  if (!task.is_dead && (!by_table || task.ids != nullptr)) {
    task.table = by_table ? task.ids->files_id() : task.pid;
    tables_.insert(task.table);
  }
  by_pid_.emplace(task.pid, all_.size());
  threads_.insert(task.pid);
  for (const uint32_t tid : task.threads()) threads_.insert(tid);
  all_.push_back(std::move(task));
}

const CheckedTask* CheckedTasks::Find(uint32_t pid) const {
  const auto found = by_pid_.find(pid);
  return found == by_pid_.end() ? nullptr : &all_[found->second];
}

}  // namespace ckpt
