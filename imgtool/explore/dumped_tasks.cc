#include "imgtool/explore/dumped_tasks.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <map>
#include <utility>

namespace ckpt {
namespace {

constexpr uint32_t kAlive = 1;
constexpr uint32_t kDead = 2;
constexpr uint32_t kStopped = 3;
constexpr uint32_t kZombie = 6;

// The order of a tree that may be none.
class TreeOrder {
 public:
  explicit TreeOrder(std::vector<pb::pstree_entry> places) : places_(std::move(places)) {
    std::ranges::stable_sort(places_, {}, [](const auto& place) { return place.pid(); });
    std::map<uint32_t, size_t> by_pid;
    for (size_t i = 0; i < places_.size(); ++i) by_pid.emplace(places_[i].pid(), i);
    for (size_t i = 0; i < places_.size(); ++i) {
      const bool is_root = !by_pid.contains(places_[i].ppid()) || places_[i].ppid() == 0;
      (is_root ? roots_ : children_[places_[i].ppid()]).push_back(i);
    }
  }

  std::vector<DumpedTask> Take() && {
    for (const size_t root : roots_) Visit(root);
    for (size_t i = 0; i < places_.size(); ++i) Visit(i);
    return std::move(tasks_);
  }

 private:
  void Visit(size_t root) {
    std::vector<std::pair<size_t, size_t>> left{{root, 0}};
    while (!left.empty()) {
      const auto [index, depth] = left.back();
      left.pop_back();
      if (visited_[index]) continue;
      visited_[index] = true;
      const auto children = children_.find(places_[index].pid());
      DumpedTask& task = tasks_.emplace_back();
      task.place = places_[index];
      task.depth = depth;
      if (children == children_.end()) continue;
      for (size_t i = children->second.size(); i-- > 0;) {
        left.emplace_back(children->second[i], depth + 1);
      }
      // Of two processes with one pid the first has the children.
      children_.erase(children);
    }
  }

  std::vector<pb::pstree_entry> places_;
  std::vector<size_t> roots_;
  std::map<uint32_t, std::vector<size_t>> children_;
  std::vector<bool> visited_ = std::vector<bool>(places_.size());
  std::vector<DumpedTask> tasks_;
};

}  // namespace

std::vector<DumpedTask> OrderTasks(std::vector<pb::pstree_entry> places) {
  return TreeOrder(std::move(places)).Take();
}

Result<std::vector<DumpedTask>> ReadTasks(DumpReader& reader) {
  CKPT_TRY(const ImageFile image, reader.dump().Read(ImageType::kPstree));
  CKPT_TRY(auto places, ParseEntries<pb::pstree_entry>(image));
  std::vector<DumpedTask> tasks = OrderTasks(std::move(places));
  for (DumpedTask& task : tasks) {
    task.core = reader.Single<pb::core_entry>(ImageType::kCore, task.pid());
    task.ids = reader.Single<pb::task_kobj_ids_entry>(ImageType::kIds, task.pid());
    if (!task.ids && task.core && task.core->has_ids()) task.ids = task.core->ids();
  }
  return tasks;
}

TaskState StateOf(const DumpedTask& task) {
  if (!task.core || !task.core->has_tc()) return TaskState::kUnknown;
  switch (task.core->tc().task_state()) {
    case kAlive:
      return TaskState::kAlive;
    case kDead:
    case kZombie:
      return TaskState::kDead;
    case kStopped:
      return TaskState::kStopped;
    default:
      return TaskState::kOther;
  }
}

std::string StateText(const DumpedTask& task) {
  switch (StateOf(task)) {
    case TaskState::kAlive:
      return "alive";
    case TaskState::kDead:
      return "zombie";
    case TaskState::kStopped:
      return "stopped";
    case TaskState::kOther:
      return fmt::format("state {}", task.core->tc().task_state());
    case TaskState::kUnknown:
      break;
  }
  return task.core ? "no state" : "no core image";
}

std::string ExitText(uint32_t wait_status) {
  const int status = static_cast<int>(wait_status);
  if (WIFEXITED(status)) return fmt::format("exited {}", WEXITSTATUS(status));
  if (!WIFSIGNALED(status)) return fmt::format("status {:#x}", wait_status);
  return fmt::format("killed by {}{}", SignalText(static_cast<uint64_t>(WTERMSIG(status))),
                     WCOREDUMP(status) ? ", core dumped" : "");
}

std::string SignalText(uint64_t number) {
  // The C library keeps the first two real-time signals for itself; the kernel counts from 32.
  constexpr uint64_t kFirstRealTime = 34;
  constexpr uint64_t kLastRealTime = 64;
  if (number >= kFirstRealTime && number <= kLastRealTime) {
    const uint64_t offset = number - kFirstRealTime;
    return offset == 0 ? "RTMIN" : fmt::format("RTMIN+{}", offset);
  }
  const char* name = number < kFirstRealTime ? sigabbrev_np(static_cast<int>(number)) : nullptr;
  return name != nullptr ? name : fmt::format("signal {}", number);
}

std::string CommOf(const DumpedTask& task) {
  return task.core && task.core->has_tc() ? task.core->tc().comm() : "";
}

std::optional<pb::creds_entry> ReadCredentials(DumpReader& reader, const DumpedTask& task) {
  if (task.core && task.core->thread_core().has_creds()) return task.core->thread_core().creds();
  return reader.Single<pb::creds_entry>(ImageType::kCreds, task.pid());
}

uint32_t FilesIdOf(const DumpedTask& task) { return task.ids ? task.ids->files_id() : task.pid(); }

}  // namespace ckpt
