// The tasks of a dump, as pstree.img lists them, with what other images say of each.
#ifndef FORMATS_CHECK_CHECKED_TASKS_H_
#define FORMATS_CHECK_CHECKED_TASKS_H_

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/check/checked_dump.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

struct CheckedTask {
  EntryRef<pb::pstree_entry> tree;
  uint32_t pid = 0;
  // Ended and not yet waited for: it has a core image and nothing else. Also where there is nothing
  // that says what it is.
  bool is_dead = false;
  const pb::task_kobj_ids_entry* ids = nullptr;  // null where there are none
  std::string ids_image;                         // where the ids are
  uint64_t table = 0;                            // the N of its fdinfo-N.img, where it is alive

  // As pstree.img lists them; none of a dead task, for which CRIU writes whatever it has in memory.
  std::span<const uint32_t> threads() const {
    const auto& threads = tree.message->threads();
    return {threads.data(), is_dead ? 0 : static_cast<size_t>(threads.size())};
  }
};

class CheckedTasks {
 public:
  explicit CheckedTasks(const CheckedDump& dump);

  const std::vector<CheckedTask>& all() const { return all_; }
  const CheckedTask* Find(uint32_t pid) const;
  // Of threads, leaders included.
  bool HasThread(uint32_t tid) const { return threads_.contains(tid); }
  // Descriptor tables, by the N of their image.
  const std::set<uint64_t>& tables() const { return tables_; }
  // Null without an inventory.
  const pb::inventory_entry* inventory() const { return inventory_; }

 private:
  void Add(const CheckedDump& dump, const EntryRef<pb::pstree_entry>& entry);

  const pb::inventory_entry* inventory_ = nullptr;
  std::vector<CheckedTask> all_;
  std::unordered_map<uint32_t, size_t> by_pid_;
  std::set<uint32_t> threads_;
  std::set<uint64_t> tables_;
};

// tc.task_state as dumpers write it.
inline constexpr uint32_t kTaskStateAlive = 1;
inline constexpr uint32_t kTaskStateDead = 2;
inline constexpr uint32_t kTaskStateStopped = 3;
inline constexpr uint32_t kTaskStateZombie = 6;

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECKED_TASKS_H_
