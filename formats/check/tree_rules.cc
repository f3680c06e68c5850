#include "formats/check/tree_rules.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "formats/check/checked_tasks.h"
#include "formats/proto/security.pb.h"

namespace ckpt {

namespace {

using PstreeRef = EntryRef<pb::pstree_entry>;
using CoreRef = EntryRef<pb::core_entry>;

// Signals 1 to 64 without SIGKILL and SIGSTOP.
constexpr int kSigactions = 62;
// sizeof(siginfo_t), the same on every architecture of the format.
constexpr size_t kSiginfoBytes = 128;

std::string PidText(uint32_t pid) { return fmt::format("pid {}", pid); }

void CheckRoots(CheckRun& run) {
  const CheckedTask* root = nullptr;
  for (const CheckedTask& task : run.tasks().all()) {
    if (task.tree.message->ppid() != 0) continue;
    if (root != nullptr) {
      run.Add(task.tree, "ppid", fmt::format("0, as of {}", PidText(root->pid)),
              "one root for all tasks");
    }
    root = root == nullptr ? &task : root;
  }
  const auto& all = run.tasks().all();
  if (root == nullptr && !all.empty()) {
    run.Add(all[0].tree, "ppid", fmt::format("{}, and nowhere 0", all[0].tree.message->ppid()),
            "a root whose ppid is 0");
  }
}

void CheckParents(CheckRun& run) {
  std::set<uint32_t> seen;
  for (const CheckedTask& task : run.tasks().all()) {
    const uint32_t parent = task.tree.message->ppid();
    if (parent != 0 && !seen.contains(parent)) {
      const bool is_later = run.tasks().Find(parent) != nullptr;
      run.Add(task.tree, "ppid",
              fmt::format("{}, {}", parent, is_later ? "which comes later" : "which is no task"),
              "a task of an earlier entry");
    }
    seen.insert(task.pid);
  }
}

void CheckLeaders(CheckRun& run) {
  for (const CheckedTask& task : run.tasks().all()) {
    const auto threads = task.threads();
    if (task.is_dead) continue;
    if (threads.empty()) {
      run.Add(task.tree, "threads", "none", fmt::format("{}, the leader", task.pid));
    } else if (threads[0] != task.pid) {
      run.Add(task.tree, "threads[0]", fmt::format("{}", threads[0]),
              fmt::format("{}, the leader", task.pid));
    }
  }
}

void CheckPidsUnique(CheckRun& run) {
  std::set<uint32_t> seen;
  for (const CheckedTask& task : run.tasks().all()) {
    const auto add = [&](uint32_t pid, std::string field) {
      if (seen.insert(pid).second) return;
      run.Add(task.tree, std::move(field), fmt::format("{} again", pid), "ids that occur once");
    };
    add(task.pid, "pid");
    const auto threads = task.threads();
    bool has_leader = false;
    for (size_t i = 0; i < threads.size(); ++i) {
      if (threads[i] != task.pid || std::exchange(has_leader, true)) {
        add(threads[i], fmt::format("threads[{}]", i));
      }
    }
  }
}

void CheckPidsPositive(CheckRun& run) {
  for (const CheckedTask& task : run.tasks().all()) {
    if (task.pid == 0) run.Add(task.tree, "pid", "0", "a pid");
  }
}

void CheckSession(CheckRun& run) {
  for (const CheckedTask& task : run.tasks().all()) {
    const uint32_t session = task.tree.message->sid();
    if (run.tasks().HasThread(session)) continue;
    run.Add(task.tree, "sid", fmt::format("{}, which is no task of the dump", session),
            "a session that a restorer makes up, or takes over with --shell-job");
  }
}

void CheckGroup(CheckRun& run) {
  for (const CheckedTask& task : run.tasks().all()) {
    const uint32_t group = task.tree.message->pgid();
    if (run.tasks().HasThread(group)) continue;
    run.Add(task.tree, "pgid", fmt::format("{}, which is no task of the dump", group),
            "a process group that a restorer makes up, or takes over with --shell-job");
  }
}

// Calls visit(CoreRef, bool is_leader) for the cores of all threads.
template <typename Visit>
void ForEachCore(CheckRun& run, Visit visit) {
  for (const CheckedTask& task : run.tasks().all()) {
    const auto visit_one = [&](uint32_t tid) {
      const CheckedImage* image = run.dump().Find(ImageType::kCore, tid);
      if (image == nullptr) return;
      run.dump().ForEachIn<pb::core_entry>(
          *image, [&](const CoreRef& core) { visit(core, tid == task.pid, task); });
    };
    visit_one(task.pid);
    for (const uint32_t tid : task.threads()) {
      if (tid != task.pid) visit_one(tid);
    }
  }
}

void CheckLeaderCores(CheckRun& run) {
  ForEachCore(run, [&](const CoreRef& core, bool is_leader, const CheckedTask&) {
    if (is_leader && !core.message->has_tc()) {
      run.Add(core, "tc", "(absent)", "the state of the task in the core of its leader");
    }
  });
}

void CheckThreadCores(CheckRun& run) {
  ForEachCore(run, [&](const CoreRef& core, bool is_leader, const CheckedTask&) {
    if (is_leader) return;
    if (core.message->has_tc()) run.Add(core, "tc", "present", "none in the core of a thread");
    if (core.message->has_ids()) run.Add(core, "ids", "present", "none in the core of a thread");
  });
}

bool HasRegisters(const pb::core_entry& core) {
  switch (core.mtype()) {
    case pb::core_entry::X86_64:
      return core.has_thread_info();
    case pb::core_entry::ARM:
      return core.has_ti_arm();
    case pb::core_entry::AARCH64:
      return core.has_ti_aarch64();
    case pb::core_entry::PPC64:
      return core.has_ti_ppc64();
    case pb::core_entry::S390:
      return core.has_ti_s390();
    case pb::core_entry::MIPS:
      return core.has_ti_mips();
    case pb::core_entry::LOONGARCH64:
      return core.has_ti_loongarch64();
    case pb::core_entry::RISCV64:
      return core.has_ti_riscv64();
    default:
      return false;
  }
}

void CheckRegisters(CheckRun& run) {
  ForEachCore(run, [&](const CoreRef& core, bool, const CheckedTask& task) {
    if (task.is_dead || HasRegisters(*core.message)) return;
    run.Add(core, "mtype", fmt::format("{} without registers of that kind", core.message->mtype()),
            "the registers of a live thread");
  });
}

void CheckState(CheckRun& run) {
  ForEachCore(run, [&](const CoreRef& core, bool is_leader, const CheckedTask&) {
    if (!is_leader || !core.message->has_tc()) return;
    const uint32_t state = core.message->tc().task_state();
    const bool is_known = state == kTaskStateAlive || state == kTaskStateDead ||
                          state == kTaskStateStopped || state == kTaskStateZombie;
    if (!is_known) {
      run.Add(core, "tc.task_state", fmt::format("{}", state), "1 alive, 2 or 6 dead, 3 stopped");
    }
  });
}

void CheckSigactions(CheckRun& run) {
  ForEachCore(run, [&](const CoreRef& core, bool is_leader, const CheckedTask& task) {
    if (!is_leader || task.is_dead || !core.message->has_tc()) return;
    const int count = core.message->tc().sigactions_size();
    // Older dumps have them in an image of their own.
    if (count == kSigactions || run.dump().Has(ImageType::kSigact, task.pid)) return;
    run.Add(core, "tc.sigactions", fmt::format("{} of them", count),
            fmt::format("{}, without SIGKILL and SIGSTOP", kSigactions));
  });
}

// What restorers take for an image of an older version when it is missing.
void CheckCoreParts(CheckRun& run) {
  ForEachCore(run, [&](const CoreRef& core, bool is_leader, const CheckedTask& task) {
    if (task.is_dead) return;
    const auto want = [&](bool has, const char* field) {
      if (!has) run.Add(core, field, "(absent)", "what every live thread has");
    };
    const pb::core_entry& entry = *core.message;
    want(entry.has_thread_core(), "thread_core");
    if (entry.has_thread_core() && !run.dump().Has(ImageType::kCreds, task.pid)) {
      want(entry.thread_core().has_creds(), "thread_core.creds");
    }
    if (!is_leader || !entry.has_tc()) return;
    if (!run.dump().Has(ImageType::kItimers, task.pid)) want(entry.tc().has_timers(), "tc.timers");
    if (!run.dump().Has(ImageType::kRlimit, task.pid)) want(entry.tc().has_rlimits(), "tc.rlimits");
  });
}

void CheckQueue(CheckRun& run, const CoreRef& core, const char* field,
                const pb::signal_queue_entry& queue) {
  for (int i = 0; i < queue.signals_size(); ++i) {
    const size_t size_bytes = queue.signals(i).siginfo().size();
    if (size_bytes == kSiginfoBytes) continue;
    run.Add(core, fmt::format("{}.signals[{}].siginfo", field, i),
            fmt::format("{} bytes", size_bytes), fmt::format("{} bytes", kSiginfoBytes));
  }
}

void CheckSignals(CheckRun& run) {
  ForEachCore(run, [&](const CoreRef& core, bool, const CheckedTask&) {
    CheckQueue(run, core, "tc.signals_s", core.message->tc().signals_s());
    CheckQueue(run, core, "thread_core.signals_p", core.message->thread_core().signals_p());
  });
}

void CheckTimers(CheckRun& run) {
  ForEachCore(run, [&](const CoreRef& core, bool, const CheckedTask& task) {
    const auto& timers = core.message->tc().timers().posix();
    if (timers.empty()) return;
    const auto tids = task.threads();
    const std::set<uint32_t> threads(tids.begin(), tids.end());
    for (int i = 0; i < timers.size(); ++i) {
      if (!timers[i].has_notify_thread_id() || timers[i].notify_thread_id() == 0) continue;
      const auto tid = static_cast<uint32_t>(timers[i].notify_thread_id());
      if (threads.contains(tid)) continue;
      run.Add(core, fmt::format("tc.timers.posix[{}].notify_thread_id", i), fmt::format("{}", tid),
              fmt::format("a thread of task {}", task.pid));
    }
  });
}

// The filters of all tasks are in one list; each says which one was installed before it.
void CheckFilterChain(CheckRun& run) {
  run.dump().ForEach<pb::seccomp_entry>(
      ImageType::kSeccomp, [&](const EntryRef<pb::seccomp_entry>& entry) {
        const auto& filters = entry.message->seccomp_filters();
        for (int i = 0; i < filters.size(); ++i) {
          if (!filters[i].has_prev() || filters[i].prev() < static_cast<uint32_t>(i)) continue;
          run.Add(entry, fmt::format("seccomp_filters[{}].prev", i),
                  fmt::format("{}", filters[i].prev()), "an earlier filter");
        }
      });
}

void CheckFilters(CheckRun& run) {
  const auto* seccomp = run.dump().FindFirst<pb::seccomp_entry>(ImageType::kSeccomp);
  if (!run.dump().AreWhole(ImageType::kSeccomp)) return;
  const int count = seccomp == nullptr ? 0 : seccomp->seccomp_filters_size();
  const auto check = [&](const CoreRef& core, const char* field, uint32_t filter) {
    if (filter < static_cast<uint32_t>(count)) return;
    run.Add(core, field, fmt::format("{}", filter),
            fmt::format("one of the {} filters of seccomp.img", count));
  };
  ForEachCore(run, [&](const CoreRef& core, bool, const CheckedTask&) {
    const auto& thread = core.message->thread_core();
    if (thread.seccomp_mode() == pb::filter && thread.has_seccomp_filter()) {
      check(core, "thread_core.seccomp_filter", thread.seccomp_filter());
    }
    const auto& task = core.message->tc();
    if (task.old_seccomp_mode() == pb::filter && task.has_old_seccomp_filter()) {
      check(core, "tc.old_seccomp_filter", task.old_seccomp_filter());
    }
  });
}

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"tree-root", kError, "one task, and only one, has no parent", "PSTREE.ppid", CheckRoots},
    {"tree-parent", kError, "the parent of a task comes before it", "PSTREE.pid PSTREE.ppid",
     CheckParents},
    {"tree-leader", kError, "the first thread of a task is its leader", "PSTREE.pid PSTREE.threads",
     CheckLeaders},
    {"pid-duplicate", kError, "no two threads have one id", "PSTREE.pid PSTREE.threads",
     CheckPidsUnique},
    {"pid-zero", kError, "every task has a pid", "PSTREE.pid", CheckPidsPositive},
    {"session-gone", kNote, "the leader of a session is in the dump",
     "PSTREE.pid PSTREE.threads PSTREE.sid", CheckSession},
    {"group-gone", kNote, "the leader of a process group is in the dump",
     "PSTREE.pid PSTREE.threads PSTREE.pgid", CheckGroup},
    {"core-leader", kError, "the core of a leader has the state of its task", "PSTREE CORE.tc",
     CheckLeaderCores},
    {"core-thread", kError, "the core of another thread has no state of a task", "PSTREE CORE",
     CheckThreadCores},
    {"core-registers", kError, "a live thread has the registers of its architecture", "PSTREE CORE",
     CheckRegisters},
    {"core-state", kError, "a task is alive, stopped or dead", "PSTREE CORE.tc.task_state",
     CheckState},
    {"core-sigactions", kError, "a live task has an action for each signal that can have one",
     "PSTREE CORE SIGACT", CheckSigactions},
    {"core-parts", kError, "cores have timers, limits and credentials, as all but the oldest do",
     "PSTREE CORE CREDS ITIMERS RLIMIT", CheckCoreParts},
    {"signal-size", kError, "a queued signal is a siginfo_t of 128 bytes", "PSTREE CORE",
     CheckSignals},
    {"timer-thread", kError, "a POSIX timer signals a thread of its task", "PSTREE CORE",
     CheckTimers},
    {"seccomp-chain", kError, "a seccomp filter builds on an earlier one", "SECCOMP",
     CheckFilterChain},
    {"seccomp-filter", kError, "the seccomp filter of a thread is in seccomp.img",
     "PSTREE CORE SECCOMP", CheckFilters},
};

}  // namespace

std::span<const CheckRule> TreeRules() { return kRules; }

}  // namespace ckpt
