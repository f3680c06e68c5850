#include "formats/check/tree_damages.h"

#include "formats/check/check_damage.h"
#include "formats/proto/security.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

namespace {

bool IsLive(const pb::core_entry& core) { return core.has_tc() && core.tc().task_state() == 1; }

std::vector<CheckDamage> TaskDamages() {
  return {
      {"tree-root",
       InTree([](pb::pstree_entry& task) {
         if (task.ppid() == 0) return false;
         task.set_ppid(0);
         return true;
       }),
       {"namespace-init"}},
      {"tree-parent", InTree([](pb::pstree_entry& task) {
         if (task.ppid() == 0) return false;
         task.set_ppid(kNobody);
         return true;
       })},
      {"tree-leader", InTree([](pb::pstree_entry& task) {
         if (task.threads_size() < 2) return false;
         task.mutable_threads()->SwapElements(0, 1);
         return true;
       })},
      {"pid-duplicate", InTree([](pb::pstree_entry& task) {
         task.add_threads(task.pid());
         return true;
       })},
      {"pid-zero",
       InTree([](pb::pstree_entry& task) {
         if (task.ppid() == 0) return false;
         task.set_pid(0);
         task.set_threads(0, 0);
         return true;
       }),
       {"core-missing", "image-unused", "file-unused", "pages-unused", "lock-owner", "task-image",
        "fdinfo-missing", "tree-parent", "session-gone", "group-gone"}},
      {"session-gone", InTree([](pb::pstree_entry& task) {
         task.set_sid(kNobody);
         return true;
       })},
      {"group-gone", InTree([](pb::pstree_entry& task) {
         task.set_pgid(kNobody);
         return true;
       })},
  };
}

std::vector<CheckDamage> CoreDamages() {
  return {
      {"core-leader", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.clear_tc();
         return true;
       })},
      {"core-thread", InCore([](pb::core_entry& core) {
         if (core.has_tc()) return false;
         FillRequired(*core.mutable_tc());
         return true;
       })},
      {"core-registers", InCore([](pb::core_entry& core) {
         if (!IsLive(core) || !core.has_thread_info()) return false;
         core.clear_thread_info();
         return true;
       })},
      {"core-state", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.mutable_tc()->set_task_state(17);
         return true;
       })},
      {"core-sigactions", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.mutable_tc()->mutable_sigactions()->RemoveLast();
         return true;
       })},
      {"core-parts", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.mutable_tc()->clear_timers();
         return true;
       })},
      {"core-parts", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.mutable_thread_core()->clear_creds();
         return true;
       })},
      {"signal-size", InCore([](pb::core_entry& core) {
         if (core.thread_core().signals_p().signals().empty()) return false;
         core.mutable_thread_core()->mutable_signals_p()->mutable_signals(0)->set_siginfo("short");
         return true;
       })},
      {"timer-thread", InCore([](pb::core_entry& core) {
         if (core.tc().timers().posix().empty()) return false;
         core.mutable_tc()->mutable_timers()->mutable_posix(0)->set_notify_thread_id(kNobody);
         return true;
       })},
  };
}

std::vector<CheckDamage> SeccompDamages() {
  return {
      {"seccomp-chain", In<pb::seccomp_entry>(ImageType::kSeccomp,
                                              [](pb::seccomp_entry& seccomp) {
                                                if (seccomp.seccomp_filters().empty()) return false;
                                                seccomp.mutable_seccomp_filters(0)->set_prev(1);
                                                return true;
                                              })},
      {"seccomp-filter", InCore([](pb::core_entry& core) {
         if (core.thread_core().seccomp_mode() != pb::filter) return false;
         core.mutable_thread_core()->set_seccomp_filter(kNobody);
         return true;
       })},
  };
}

}  // namespace

std::vector<CheckDamage> TreeDamages() {
  return JoinDamages({TaskDamages(), CoreDamages(), SeccompDamages()});
}

}  // namespace ckpt
