#include "restorer/task_plan.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <utility>

#include "restorer/memory_plan.h"
#include "restorer/thread_plan.h"

namespace ckpt {

namespace {

// tc.task_state
constexpr uint32_t kAlive = 1;
constexpr uint32_t kStopped = 3;

// Whether it ends a process that does nothing about it (signal(7)).
bool IsDeadly(int signal) {
  constexpr std::array kHarmless = {SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP,
                                    SIGTTIN, SIGTTOU, SIGURG,  SIGWINCH};
  return std::ranges::find(kHarmless, signal) == kHarmless.end();
}

constexpr int kSignalCount = 64;
// Signals 1 to 64 without SIGKILL and SIGSTOP.
constexpr int kSignalActionCount = kSignalCount - 2;

// RLIM_NLIMITS of Linux.
constexpr int kMostLimits = 16;

constexpr uint64_t kHighestDescriptor = (1U << 30) - 1;  // more than fs.nr_open can be set to

IntervalTimerPlan PlanIntervalTimer(const pb::itimer_entry& entry) {
  return {.interval_seconds = entry.isec(),
          .interval_microseconds = entry.iusec(),
          .value_seconds = entry.vsec(),
          .value_microseconds = entry.vusec()};
}

PosixTimerPlan PlanPosixTimer(const pb::posix_timer_entry& entry) {
  return {.id = static_cast<int32_t>(entry.it_id()),
          .clock_id = static_cast<int32_t>(entry.clock_id()),
          .signal = static_cast<int32_t>(entry.si_signo()),
          .notify = static_cast<int32_t>(entry.it_sigev_notify()),
          .notify_thread = entry.notify_thread_id(),
          .value = entry.sival_ptr(),
          .interval_seconds = entry.isec(),
          .interval_nanoseconds = entry.insec(),
          .value_seconds = entry.vsec(),
          .value_nanoseconds = entry.vnsec()};
}

class Planner {
 public:
  Planner(const TaskImages& images, FilePlanner& files, const SharedMemoryFiles& shared_files,
          Findings& findings)
      : images_(images),
        files_(files),
        shared_files_(shared_files),
        findings_(findings),
        pid_(images.tree.pid()) {}

  TaskPlan Plan() {
    plan_.pid = static_cast<pid_t>(pid_);
    plan_.ppid = static_cast<pid_t>(images_.tree.ppid());
    plan_.pgid = static_cast<pid_t>(images_.tree.pgid());
    plan_.sid = static_cast<pid_t>(images_.tree.sid());
    if (IsZombie()) {
      PlanZombie(images_.threads.front().tc());
      return std::move(plan_);
    }
    if (images_.ids) plan_.files_id = images_.ids->files_id();
    if (PlanThreads()) PlanProcess(images_.threads.front());
    PlanMemory();
    PlanDescriptors();
    PlanDirectories();
    return std::move(plan_);
  }

 private:
  bool IsZombie() const {
    return !images_.threads.empty() && images_.threads.front().tc().task_state() == kDeadTaskState;
  }

  void PlanZombie(const pb::task_core_entry& task) {
    plan_.state = TaskPlan::State::kZombie;
    plan_.exit_status = static_cast<int>(task.exit_code());
    plan_.threads.emplace_back();
    plan_.threads.front().tid = plan_.pid;
    plan_.threads.front().comm = task.comm();
    const bool is_killed = WIFSIGNALED(plan_.exit_status) && IsDeadly(WTERMSIG(plan_.exit_status));
    if (!WIFEXITED(plan_.exit_status) && !is_killed) {
      findings_.BadFormat("core-{}.img: a zombie with the status {:#x}, which is no end", pid_,
                          plan_.exit_status);
    }
    if (images_.tree.ppid() == 0) {
      findings_.Unsupported("core-{}.img: the first process is a zombie, which is not supported",
                            pid_);
    }
  }

  // False when there is no leader to go on with.
  bool PlanThreads() {
    const auto& tids = images_.tree.threads();
    if (tids.empty() || tids.Get(0) != pid_ || images_.threads.empty()) {
      findings_.BadFormat("pstree.img: the first thread of process {} is not {}", pid_, pid_);
      return false;
    }
    for (int i = 0; i < tids.size(); ++i) {
      const pb::core_entry& core = images_.threads[static_cast<size_t>(i)];
      if (i > 0 && core.has_tc()) {
        findings_.BadFormat("core-{}.img: tc is there, in a thread that is not the leader",
                            tids.Get(i));
      }
      plan_.threads.push_back(PlanThread(core, tids.Get(i), findings_));
    }
    return true;
  }

  void PlanProcess(const pb::core_entry& leader) {
    if (!leader.has_tc()) {
      findings_.BadFormat("core-{}.img: tc is missing, in the leader of a process", pid_);
      return;
    }
    const pb::task_core_entry& task = leader.tc();
    if (task.task_state() != kAlive && task.task_state() != kStopped) {
      findings_.Unsupported("core-{}.img: task_state {}, supported are {} and {}", pid_,
                            task.task_state(), kAlive, kStopped);
    }
    if (task.task_state() == kStopped) plan_.state = TaskPlan::State::kStopped;
    plan_.personality = task.personality();
    plan_.child_subreaper = task.child_subreaper();
    plan_.membarrier_registrations = task.membarrier_registration_mask();
    if (task.has_oom_score_adj()) plan_.oom_score_adj = task.oom_score_adj();
    plan_.pending =
        PlanPendingSignals(task.signals_s(), fmt::format("core-{}.img", pid_), findings_);
    if (task.old_seccomp_mode() != pb::disabled) {
      findings_.Unsupported("core-{}.img: seccomp mode \"{}\" is not supported", pid_,
                            pb::seccomp_mode_Name(task.old_seccomp_mode()));
    }
    PlanSignalActions(task);
    PlanTimers(task);
    PlanLimits(task);
  }

  void PlanSignalActions(const pb::task_core_entry& task) {
    if (task.sigactions_size() != kSignalActionCount) {
      findings_.BadFormat("core-{}.img: {} signal actions, {} are needed", pid_,
                          task.sigactions_size(), kSignalActionCount);
      return;
    }
    int signal = 0;
    for (const pb::sa_entry& entry : task.sigactions()) {
      do {
        ++signal;
      } while (signal == SIGKILL || signal == SIGSTOP);
      if (entry.compat_sigaction()) {
        findings_.Unsupported("core-{}.img: a 32-bit handler of signal {}, which is not supported",
                              pid_, signal);
      }
      plan_.signal_actions.push_back({.signal = signal,
                                      .handler = entry.sigaction(),
                                      .flags = entry.flags(),
                                      .restorer = entry.restorer(),
                                      .mask = entry.mask()});
    }
  }

  void PlanTimers(const pb::task_core_entry& task) {
    if (!task.has_timers()) {
      findings_.Unsupported("core-{}.img: tc.timers is missing: an image from before CRIU 2.0",
                            pid_);
      return;
    }
    plan_.interval_timers = {PlanIntervalTimer(task.timers().real()),
                             PlanIntervalTimer(task.timers().virt()),
                             PlanIntervalTimer(task.timers().prof())};
    for (const pb::posix_timer_entry& entry : task.timers().posix()) {
      plan_.posix_timers.push_back(PlanPosixTimer(entry));
    }
    std::ranges::sort(plan_.posix_timers, {}, &PosixTimerPlan::id);
  }

  void PlanLimits(const pb::task_core_entry& task) {
    if (!task.has_rlimits()) {
      findings_.Unsupported("core-{}.img: tc.rlimits is missing: an image from before CRIU 2.0",
                            pid_);
    }
    if (task.rlimits().rlimits_size() > kMostLimits) {
      findings_.Unsupported("core-{}.img: {} resource limits, known are {}", pid_,
                            task.rlimits().rlimits_size(), kMostLimits);
      return;
    }
    for (const pb::rlimit_entry& entry : task.rlimits().rlimits()) {
      plan_.limits.push_back({.soft = entry.cur(), .hard = entry.max()});
    }
  }

  void PlanMemory() {
    if (!images_.ids) findings_.BadFormat("ids-{}.img: is missing", pid_);
    if (!images_.mm) {
      findings_.BadFormat("mm-{}.img: is missing", pid_);
      return;
    }
    plan_.memory = PlanAddressSpace(images_, shared_files_, findings_);
    for (const MappingPlan& mapping : plan_.memory.mappings) {
      if (mapping.kind != MappingPlan::Kind::kFile) continue;
      files_.UsePath(mapping.file_id, fmt::format("mm-{}.img: mapping {:#x}-{:#x}", pid_,
                                                  mapping.range.start, mapping.range.end));
    }
    files_.UsePath(plan_.memory.layout.exe_file_id, fmt::format("mm-{}.img: exe_file_id", pid_));
  }

  void PlanDescriptors() {
    const uint32_t files_id = images_.ids ? images_.ids->files_id() : 0;
    for (const pb::fdinfo_entry& entry : images_.descriptors) {
      const std::string user = fmt::format("fdinfo-{}.img: descriptor {}", files_id, entry.fd());
      if (entry.fd() > kHighestDescriptor) {
        findings_.BadFormat("{}: the highest possible is {}", user, kHighestDescriptor);
        continue;
      }
      files_.Use(entry.id(), user);
      plan_.descriptors.push_back({.fd = static_cast<int>(entry.fd()),
                                   .file_id = entry.id(),
                                   .close_on_exec = (entry.flags() & 1) != 0});
    }
    std::ranges::sort(plan_.descriptors, {}, &DescriptorPlan::fd);
    const auto twice = std::ranges::adjacent_find(plan_.descriptors, {}, &DescriptorPlan::fd);
    if (twice != plan_.descriptors.end()) {
      findings_.BadFormat("fdinfo-{}.img: descriptor {} is there twice", files_id, twice->fd);
    }
  }

  void PlanDirectories() {
    if (!images_.fs) {
      findings_.BadFormat("fs-{}.img: is missing", pid_);
      return;
    }
    plan_.cwd_file_id = images_.fs->cwd_id();
    plan_.root_file_id = images_.fs->root_id();
    if (images_.fs->has_umask()) plan_.umask = images_.fs->umask();
    files_.UsePath(plan_.cwd_file_id, fmt::format("fs-{}.img: cwd_id", pid_));
    files_.UsePath(plan_.root_file_id, fmt::format("fs-{}.img: root_id", pid_));
  }

  const TaskImages& images_;
  FilePlanner& files_;
  const SharedMemoryFiles& shared_files_;
  Findings& findings_;
  uint32_t pid_;
  TaskPlan plan_;
};

}  // namespace

TaskPlan PlanTask(const TaskImages& images, FilePlanner& files,
                  const SharedMemoryFiles& shared_files, Findings& findings) {
  return Planner(images, files, shared_files, findings).Plan();
}

}  // namespace ckpt
