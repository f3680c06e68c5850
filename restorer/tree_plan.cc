#include "restorer/tree_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace ckpt {

namespace {

using State = TaskPlan::State;

// Who makes a process, and when.
struct Birth {
  size_t maker = 0;
  bool as_sibling = false;      // the maker's parent is its parent
  bool before_leading = false;  // in the session that the maker was born in
};

class Planner {
 public:
  Planner(RestorePlan& plan, Findings& findings) : plan_(plan), findings_(findings) {}

  void Plan() {
    for (size_t i = 0; i < tasks().size(); ++i) by_pid_.emplace(tasks()[i].pid, i);
    births_.resize(tasks().size());
    birth_sessions_.resize(tasks().size());
    if (!FindParents()) return;
    // Helpers that are added on the way have their birth already.
    const size_t dumped = tasks().size();
    for (size_t i = 1; i < dumped; ++i) {
      if (!IsLeader(tasks()[i])) PlanMember(i);
    }
    for (size_t i = 1; i < dumped; ++i) {
      if (IsLeader(tasks()[i])) PlanLeader(i);
    }
    AddGroupLeaders();
    CheckDescriptors();
    Emit();
  }

 private:
  std::vector<TaskPlan>& tasks() { return plan_.tasks; }
  static bool IsLeader(const TaskPlan& task) { return task.sid == task.pid; }

  bool FindParents() {
    parents_.resize(tasks().size());
    for (size_t i = 1; i < tasks().size(); ++i) {
      const auto parent = by_pid_.find(tasks()[i].ppid);
      if (parent == by_pid_.end() || parent->second >= i) {
        findings_.BadFormat("pstree.img: the parent {} of process {} does not come before it",
                            tasks()[i].ppid, tasks()[i].pid);
        return false;
      }
      parents_[i] = parent->second;
    }
    return true;
  }

  // Whether `maker` is, or can be made to have been born, in `session` before it led its own: then
  // all leaders between it and a member of the session are born in that.
  bool ReachesSession(size_t maker, pid_t session) {
    size_t at = maker;
    while (tasks()[at].sid != session) {
      const bool is_free = !birth_sessions_[at] || *birth_sessions_[at] == session;
      if (!IsLeader(tasks()[at]) || at == 0 || !is_free) return false;
      at = parents_[at];
    }
    for (at = maker; tasks()[at].sid != session; at = parents_[at]) birth_sessions_[at] = session;
    return true;
  }

  void PlanMember(size_t i) {
    const TaskPlan& task = tasks()[i];
    const size_t parent = parents_[i];
    if (ReachesSession(parent, task.sid)) {
      births_[i] = {.maker = parent, .before_leading = tasks()[parent].sid != task.sid};
      return;
    }
    const auto leader = by_pid_.find(task.sid);
    const size_t maker =
        leader == by_pid_.end() ? AddHelper(task.sid, task.sid, task.sid, parent) : leader->second;
    if (!IsLeader(tasks()[maker]) || maker == 0 || parents_[maker] != parent) {
      findings_.Unsupported(
          "pstree.img: process {} is in session {}, whose leader is neither a brother of it nor "
          "above it, which is not supported",
          tasks()[i].pid, tasks()[i].sid);
      return;
    }
    births_[i] = {.maker = maker, .as_sibling = true};
  }

  void PlanLeader(size_t i) {
    const size_t parent = parents_[i];
    const std::optional<pid_t> session = birth_sessions_[i];
    births_[i] = {.maker = parent,
                  .before_leading = session.has_value() && *session != tasks()[parent].sid};
  }

  size_t AddHelper(pid_t pid, pid_t pgid, pid_t sid, size_t parent) {
    TaskPlan helper;
    helper.pid = pid;
    helper.ppid = tasks()[parent].pid;
    helper.pgid = pgid;
    helper.sid = sid;
    helper.state = State::kHelper;
    tasks().push_back(std::move(helper));
    by_pid_.emplace(pid, tasks().size() - 1);
    parents_.push_back(parent);
    births_.push_back({.maker = parent});
    birth_sessions_.emplace_back();
    return tasks().size() - 1;
  }

  // A group that no process leads, and that is not the one that the root came with.
  void AddGroupLeaders() {
    const size_t dumped = tasks().size();
    for (size_t i = 0; i < dumped; ++i) {
      const pid_t group = tasks()[i].pgid;
      if (by_pid_.contains(group) || group == 0 || IsOutside(tasks()[i], group)) continue;
      AddHelper(group, group, tasks()[i].sid, i);
    }
    for (const TaskPlan& task : tasks()) {
      const auto leader = by_pid_.find(task.pgid);
      if (leader == by_pid_.end()) continue;
      const TaskPlan& found = tasks()[leader->second];
      if (found.pgid == task.pgid && found.sid == task.sid) continue;
      findings_.BadFormat(
          "pstree.img: process {} is in group {} of session {}, but process {} in group {} of "
          "session {}",
          task.pid, task.pgid, task.sid, found.pid, found.pgid, found.sid);
    }
  }

  bool IsOutside(const TaskPlan& task, pid_t group) {
    const TaskPlan& root = tasks().front();
    return !IsLeader(root) && task.sid == root.sid && group == root.pgid;
  }

  bool HasDescriptors(size_t i) { return tasks()[i].IsLive(); }

  // A table of descriptors can only be shared with who made the process.
  bool SharesDescriptors(size_t i) {
    const size_t maker = births_[i].maker;
    return HasDescriptors(i) && HasDescriptors(maker) &&
           tasks()[i].files_id == tasks()[maker].files_id;
  }

  void CheckDescriptors() {
    std::map<uint32_t, pid_t> first;
    for (size_t i = 0; i < tasks().size(); ++i) {
      if (!HasDescriptors(i) || (i != 0 && SharesDescriptors(i))) continue;
      const auto [found, is_new] = first.emplace(tasks()[i].files_id, tasks()[i].pid);
      if (is_new) continue;
      findings_.Unsupported(
          "ids-{}.img: process {} shares its descriptors with process {}, by which it is not made, "
          "which is not supported",
          tasks()[i].pid, tasks()[i].pid, found->second);
    }
  }

  void Emit() {
    made_by_.resize(tasks().size());
    for (size_t i = 1; i < tasks().size(); ++i) made_by_[births_[i].maker].push_back(i);
    EmitMadeBy(0);
  }

  void EmitMadeBy(size_t maker) {
    EmitMadeBy(maker, true);
    if (IsLeader(tasks()[maker])) {
      plan_.tree.push_back({.kind = TreeAction::Kind::kLead, .task = maker});
    }
    EmitMadeBy(maker, false);
  }

  void EmitMadeBy(size_t maker, bool before_leading) {
    for (const size_t i : made_by_[maker]) {
      if (births_[i].before_leading != before_leading) continue;
      plan_.tree.push_back({.kind = TreeAction::Kind::kMake,
                            .task = i,
                            .maker = maker,
                            .as_sibling = births_[i].as_sibling,
                            .shares_descriptors = SharesDescriptors(i)});
      EmitMadeBy(i);
    }
  }

  RestorePlan& plan_;
  Findings& findings_;
  // By the index of the task.
  std::map<pid_t, size_t> by_pid_;
  std::vector<size_t> parents_;
  std::vector<Birth> births_;
  std::vector<std::optional<pid_t>> birth_sessions_;  // of leaders; none: any
  std::vector<std::vector<size_t>> made_by_;
};

}  // namespace

void PlanTree(RestorePlan& plan, Findings& findings) {
  if (!plan.tasks.empty()) Planner(plan, findings).Plan();
}

}  // namespace ckpt
