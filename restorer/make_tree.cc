#include "restorer/make_tree.h"

#include <linux/sched.h>
#include <sys/syscall.h>

#include <csignal>
#include <memory>
#include <utility>
#include <vector>

#include "restorer/address_space.h"
#include "restorer/tty_steps.h"
#include "restorer/vdso_step.h"

namespace ckpt {

namespace {

class Maker {
 public:
  Maker(const RestorePlan& plan, const MappedPages& pages,
        const std::function<Result<>(std::string_view)>& before, RestoredTree& tree)
      : plan_(plan), pages_(pages), before_(before), tree_(tree), made_(plan.tasks.size()) {
    made_.front() = &tree.root();
    tree.root().memory_of = &tree.root();
  }

  Result<> Make() {
    for (const TreeAction& action : plan_.tree) {
      auto done = action.kind == TreeAction::Kind::kMake ? MakeProcess(action)
                                                         : LeadSession(*made_[action.task]);
      if (done.has_error()) {
        return std::move(done).error().In(fmt::format("process {}", plan_.tasks[action.task].pid));
      }
    }
    return success();
  }

 private:
  Result<> MakeProcess(const TreeAction& action) {
    CKPT_TRY(before_(kMakeProcess));
    RestoredTask& maker = *made_[action.maker];
    const Result<> cloned = Clone(action, maker);
    // It is there even where the calls of the maker went wrong afterwards.
    const std::vector<pid_t> made = maker.stub.leader().TakeMadeTasks();
    if (!made.empty()) {
      CKPT_TRY(StubProcess stub, StubProcess::Adopt(made.front()));
      made_[action.task] = &Add(action, maker, std::move(stub));
    }
    CKPT_TRY(cloned);
    CKPT_CHECK(made.size() == 1);
    return GiveMemory(*made_[action.task], maker);
  }

  Result<> Clone(const TreeAction& action, RestoredTask& maker) {
    const pid_t pid = plan_.tasks[action.task].pid;
    RemoteCalls calls = maker.Calls();
    CKPT_TRY(calls.MakeRoom(1, sizeof(clone_args) + 32));
    clone_args args{};
    args.flags = (action.as_sibling ? CLONE_PARENT : 0) |
                 (action.shares_descriptors ? uint64_t{CLONE_FILES} : 0);
    args.exit_signal = action.as_sibling ? 0 : SIGCHLD;  // a sibling's is that of the maker
    args.set_tid = calls.PutObject(pid).address();
    args.set_tid_size = 1;
    const RemotePtr pointer = calls.PutObject(args);
    calls.Add(fmt::format("clone3 of process {}", pid), SYS_clone3, {pointer, sizeof(args)}, pid);
    return calls.Flush();
  }

  RestoredTask& Add(const TreeAction& action, RestoredTask& maker, StubProcess stub) {
    const TaskPlan& plan = plan_.tasks[action.task];
    const bool has_other_root = plan.IsLive() && plan_.files.at(plan.root_file_id).path != "/";
    return tree_.Add({.plan = &plan,
                      .files = maker.files,
                      .log = maker.log,
                      .is_rooted = maker.is_rooted,
                      .changes_root = maker.is_rooted || has_other_root,
                      .counts_timer_ids = maker.counts_timer_ids,
                      .descriptor_limit = maker.descriptor_limit,
                      .stub = std::move(stub),
                      .vdso = maker.vdso,
                      .parent = action.as_sibling ? maker.parent : &maker,
                      .memory_of = maker.memory_of,
                      .group = maker.group,
                      .shares_descriptors = action.shares_descriptors});
  }

  Result<> GiveMemory(RestoredTask& task, const RestoredTask& maker) {
    CKPT_TRY(RemoteMemory memory, RemoteMemory::Open(task.stub.pid()));
    task.memory = std::make_unique<RemoteMemory>(std::move(memory));
    task.engine = maker.engine->InCopyOfTask(*task.memory);
    if (!task.plan->IsLive()) return success();
    CKPT_TRY(before_(kChangeMemory));
    task.memory_of = &task;
    CKPT_TRY(DecideOnVdso(task));
    return ChangeInheritedMemory(task, *maker.memory_of, pages_);
  }

  Result<> LeadSession(RestoredTask& task) {
    CKPT_TRY(before_(kLeadSession));
    RemoteCalls calls = task.Calls();
    CKPT_TRY(calls.Call("setsid()", SYS_setsid, {}));
    task.group = task.plan->pid;
    CKPT_TRY(calls.Flush());
    return TakeTerminal(task);
  }

  const RestorePlan& plan_;
  const MappedPages& pages_;
  const std::function<Result<>(std::string_view)>& before_;
  RestoredTree& tree_;
  std::vector<RestoredTask*> made_;  // by the index of the task in the plan
};

}  // namespace

Result<> MakeTree(const RestorePlan& plan, const MappedPages& pages,
                  const std::function<Result<>(std::string_view)>& before, RestoredTree& tree) {
  return Maker(plan, pages, before, tree).Make();
}

}  // namespace ckpt
