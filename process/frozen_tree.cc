#include "process/frozen_tree.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "process/proc_file.h"
#include "process/task_list.h"

namespace ckpt {

namespace {

bool HasGone(const Error& error) {
  return error.code == ErrorCode::kProcessGone || error.code == ErrorCode::kNotFound;
}

Result<FrozenProcess> Settled(Result<FrozenProcess> seized) {
  if (seized.has_value()) CKPT_TRY(seized.value().Settle());
  return seized;
}

}  // namespace

Result<FrozenTree> FrozenTree::Freeze(pid_t root) {
  FrozenTree tree;
  CKPT_TRY(FrozenProcess process, FrozenProcess::Freeze(root));
  tree.tasks_.push_back({.pid = root, .ppid = 0, .process = std::move(process)});
  tree.known_.insert(root);
  CKPT_TRY(std::vector<Listed> found, tree.ListNewChildren(0));
  // A process that ends before it is stopped leaves its children to one that was listed already.
  while (!found.empty()) {
    CKPT_TRY(tree.FreezeAll(std::move(found)));
    CKPT_TRY(found, tree.ListNewChildren(0));
  }
  return tree;
}

// With the descendants of `found`, each listed once.
Result<> FrozenTree::FreezeAll(std::vector<Listed> found) {
  while (!found.empty()) {
    const size_t first_new = tasks_.size();
    CKPT_TRY(FreezeSideBySide(found));
    CKPT_TRY(found, ListNewChildren(first_new));
  }
  return success();
}

Result<> FrozenTree::FreezeSideBySide(const std::vector<Listed>& found) {
  std::vector<Result<FrozenProcess>> seized;
  for (const Listed& listed : found) seized.push_back(FrozenProcess::Seize(listed.pid));
  for (size_t i = 0; i < found.size(); ++i) {
    CKPT_TRY(Add(found[i], Settled(std::move(seized[i]))));
  }
  return success();
}

// A child that is gone is passed over; one that has ended and waits for its parent is a zombie.
Result<> FrozenTree::Add(const Listed& listed, Result<FrozenProcess> process) {
  if (process.has_value()) {
    known_.insert(listed.pid);
    tasks_.push_back(
        {.pid = listed.pid, .ppid = listed.ppid, .process = std::move(process).value()});
    return success();
  }
  if (!HasGone(process.error())) return std::move(process).error();
  const Result<TaskStat> stat = ReadTaskStat(listed.pid);
  if (stat.has_error() || stat.value().state != 'Z') return success();
  if (stat.value().num_threads > 1) {
    return MakeError(ErrorCode::kUnsupported,
                     "process {}: its leader has ended and other threads run: not supported yet",
                     listed.pid);
  }
  known_.insert(listed.pid);
  tasks_.push_back({.pid = listed.pid, .ppid = listed.ppid, .process = std::nullopt});
  return success();
}

// Of the frozen processes from `first_task` on.
Result<std::vector<FrozenTree::Listed>> FrozenTree::ListNewChildren(size_t first_task) const {
  std::vector<Listed> found;
  for (size_t i = first_task; i < tasks_.size(); ++i) {
    if (!tasks_[i].process) continue;
    const pid_t pid = tasks_[i].pid;
    for (const Tracee& thread : tasks_[i].process->threads()) {
      CKPT_TRY(
          const std::vector<pid_t> children,
          ReadProcFile(fmt::format("/proc/{}/task/{}/children", pid, thread.tid()), ParseChildren));
      for (const pid_t child : children) {
        if (!known_.contains(child)) found.push_back({.pid = child, .ppid = pid});
      }
    }
  }
  return found;
}

Result<> FrozenTree::Thaw() {
  Result<> outcome = success();
  for (FrozenTask& task : tasks_) {
    if (!task.process) continue;
    Result<> thawed = task.process->Thaw();
    if (thawed.has_error() && outcome.has_value()) outcome = std::move(thawed);
  }
  return outcome;
}

Result<> FrozenTree::ThawIntoStop() {
  for (const FrozenTask& task : tasks_) {
    if (task.process) kill(task.pid, SIGSTOP);
  }
  return Thaw();
}

// All get the signal before any is waited for, and children are waited for before their parents: an
// init is not gone before all of its namespace are.
Result<> FrozenTree::Kill() {
  for (const FrozenTask& task : tasks_) {
    if (!task.process || kill(task.pid, SIGKILL) == 0) continue;
    const int saved = errno;
    // Where an init was killed, the kernel has killed the others.
    if (saved != ESRCH) return ErrnoError(saved, "kill({}, SIGKILL)", task.pid);
  }
  for (auto task = tasks_.rbegin(); task != tasks_.rend(); ++task) {
    if (task->process) task->process->AwaitEnd();
  }
  return success();
}

std::vector<pid_t> ListTree(pid_t root) {
  std::vector<pid_t> pids = {root};
  for (size_t i = 0; i < pids.size(); ++i) {
    const Result<std::vector<pid_t>> children = ListChildren(pids[i]);
    if (children.has_error()) continue;
    pids.insert(pids.end(), children.value().begin(), children.value().end());
  }
  return pids;
}

}  // namespace ckpt
