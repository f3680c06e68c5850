#include "dumper/process_state.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/file.h"
#include "dumper/thread_state.h"
#include "process/auxv.h"
#include "process/limits.h"
#include "process/posix_timers.h"

namespace ckpt {

namespace {

using enum SyscallBatch::OnError;

constexpr int kSignalCount = 64;
constexpr uint32_t kTaskAlive = 1;
constexpr uint32_t kTaskDead = 2;
constexpr uint32_t kTaskStopped = 3;

// linux/membarrier.h, Linux 6.3.
constexpr int kMembarrierGetRegistrations = 1 << 9;

// The structure of rt_sigaction(2) on x86-64, which is not libc's.
struct KernelSigaction {
  uint64_t handler;
  uint64_t flags;
  uint64_t restorer;
  uint64_t mask;
};

// Calls of ProcessBatch and OwnKnowledge but for the two of each POSIX timer, and an upper bound of
// what one of them, its result included, takes of the scratch area.
constexpr size_t kFixedCalls = 80;
constexpr size_t kBytesOfCall = sizeof(SyscallRecord) + sizeof(KernelSigaction);

// Calls of which the results are wanted later, in one batch for the whole process.
struct ProcessBatch {
  SyscallBatch batch;
  std::vector<RemotePtr> actions = {};
  std::array<RemotePtr, 3> itimers = {};
  std::vector<std::pair<RemotePtr, size_t>> posix_timers = {};  // itimerspec; call of the overrun
  RemotePtr subreaper = {};
  size_t brk = 0;
  size_t dumpable = 0;
  size_t thp_disabled = 0;
  size_t membarrier = 0;
};

ProcessBatch BuildBatch(const RemoteSyscalls& engine, const std::vector<PosixTimer>& timers) {
  ProcessBatch calls{.batch = engine.NewBatch(kFixedCalls + 2 * timers.size())};
  SyscallBatch& batch = calls.batch;
  for (int signal = 1; signal <= kSignalCount; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    calls.actions.push_back(batch.Reserve(sizeof(KernelSigaction)));
    batch.Add(kStop, SYS_rt_sigaction, {signal, 0, calls.actions.back(), sizeof(uint64_t)});
  }
  for (const int which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    const RemotePtr value = batch.Reserve(sizeof(itimerval));
    batch.Add(kStop, SYS_getitimer, {which, value});
    calls.itimers.at(static_cast<size_t>(which)) = value;
  }
  for (const PosixTimer& timer : timers) {
    const RemotePtr value = batch.Reserve(sizeof(itimerspec));
    batch.Add(kStop, SYS_timer_gettime, {timer.id, value});
    calls.posix_timers.emplace_back(value, batch.Add(kStop, SYS_timer_getoverrun, {timer.id}));
  }
  calls.brk = batch.Add(kStop, SYS_brk, {0});
  calls.dumpable = batch.Add(kStop, SYS_prctl, {PR_GET_DUMPABLE});
  calls.subreaper = batch.Reserve(sizeof(int32_t));
  batch.Add(kStop, SYS_prctl, {PR_GET_CHILD_SUBREAPER, calls.subreaper});
  calls.thp_disabled = batch.Add(kGoOn, SYS_prctl, {PR_GET_THP_DISABLE, 0, 0, 0, 0});
  calls.membarrier = batch.Add(kGoOn, SYS_membarrier, {kMembarrierGetRegistrations, 0, 0});
  return calls;
}

void FillSigactions(const ProcessBatch& calls, pb::task_core_entry* tc) {
  for (const RemotePtr pointer : calls.actions) {
    const auto action = calls.batch.OutputObject<KernelSigaction>(pointer);
    pb::sa_entry* entry = tc->add_sigactions();
    entry->set_sigaction(action.handler);
    entry->set_flags(action.flags);
    entry->set_restorer(action.restorer);
    entry->set_mask(action.mask);
  }
}

void FillItimer(const itimerval& timer, pb::itimer_entry* entry) {
  entry->set_isec(static_cast<uint64_t>(timer.it_interval.tv_sec));
  entry->set_iusec(static_cast<uint64_t>(timer.it_interval.tv_usec));
  entry->set_vsec(static_cast<uint64_t>(timer.it_value.tv_sec));
  entry->set_vusec(static_cast<uint64_t>(timer.it_value.tv_usec));
}

void FillPosixTimer(const PosixTimer& timer, const itimerspec& value, int64_t overrun,
                    pb::posix_timer_entry* entry) {
  entry->set_it_id(static_cast<uint32_t>(timer.id));
  entry->set_clock_id(static_cast<uint32_t>(timer.clock_id));
  entry->set_si_signo(static_cast<uint32_t>(timer.signal));
  entry->set_it_sigev_notify(static_cast<uint32_t>(timer.notify));
  entry->set_sival_ptr(timer.signal_value);
  entry->set_overrun(static_cast<uint32_t>(overrun));
  entry->set_isec(static_cast<uint64_t>(value.it_interval.tv_sec));
  entry->set_insec(static_cast<uint64_t>(value.it_interval.tv_nsec));
  entry->set_vsec(static_cast<uint64_t>(value.it_value.tv_sec));
  entry->set_vnsec(static_cast<uint64_t>(value.it_value.tv_nsec));
  if ((timer.notify & SIGEV_THREAD_ID) != 0) entry->set_notify_thread_id(timer.notify_id);
}

void FillTimers(const ProcessBatch& calls, const std::vector<PosixTimer>& posix,
                pb::task_timers_entry* timers) {
  const auto itimer = [&](int which) {
    return calls.batch.OutputObject<itimerval>(calls.itimers.at(static_cast<size_t>(which)));
  };
  FillItimer(itimer(ITIMER_REAL), timers->mutable_real());
  FillItimer(itimer(ITIMER_VIRTUAL), timers->mutable_virt());
  FillItimer(itimer(ITIMER_PROF), timers->mutable_prof());
  for (size_t i = 0; i < posix.size(); ++i) {
    const auto& [value, overrun] = calls.posix_timers[i];
    FillPosixTimer(posix[i], calls.batch.OutputObject<itimerspec>(value),
                   calls.batch.result(overrun), timers->add_posix());
  }
}

// A number in a /proc file of one line.
template <typename Number>
Result<Number> ReadNumber(const std::string& path, int base) {
  CKPT_TRY(const std::string text, ReadWholeFile(path));
  Number number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (code != std::errc() || end == text.data()) {
    return MakeError(ErrorCode::kBadFormat, "{}: \"{}\" is no number", path, text);
  }
  return number;
}

// Where the kernel has no audit, or nobody has logged in, there is no login uid to keep.
void FillLoginUid(pid_t pid, pb::task_core_entry* tc) {
  const auto loginuid = ReadNumber<uint32_t>(fmt::format("/proc/{}/loginuid", pid), 10);
  if (loginuid.has_value() && loginuid.value() != std::numeric_limits<uint32_t>::max()) {
    tc->set_loginuid(loginuid.value());
  }
}

Result<> FillFromProc(pid_t pid, const TaskStat& stat, pb::task_core_entry* tc) {
  tc->set_exit_code(static_cast<uint32_t>(stat.exit_code));
  tc->set_flags(stat.flags);
  tc->set_comm(stat.comm);
  CKPT_TRY(const auto personality,
           ReadNumber<uint32_t>(fmt::format("/proc/{}/personality", pid), 16));
  tc->set_personality(personality);
  CKPT_TRY(const auto oom, ReadNumber<int32_t>(fmt::format("/proc/{}/oom_score_adj", pid), 10));
  tc->set_oom_score_adj(oom);
  FillLoginUid(pid, tc);
  CKPT_TRY(const Limits limits, ReadLimits(pid));
  for (const rlimit& limit : limits) {
    pb::rlimit_entry* entry = tc->mutable_rlimits()->add_rlimits();
    entry->set_cur(limit.rlim_cur);
    entry->set_max(limit.rlim_max);
  }
  return success();
}

Result<> FillMm(pid_t pid, const TaskStat& stat, pb::mm_entry* mm) {
  mm->set_mm_start_code(stat.start_code);
  mm->set_mm_end_code(stat.end_code);
  mm->set_mm_start_data(stat.start_data);
  mm->set_mm_end_data(stat.end_data);
  mm->set_mm_start_stack(stat.start_stack);
  mm->set_mm_start_brk(stat.start_brk);
  mm->set_mm_arg_start(stat.arg_start);
  mm->set_mm_arg_end(stat.arg_end);
  mm->set_mm_env_start(stat.env_start);
  mm->set_mm_env_end(stat.env_end);
  CKPT_TRY(const std::vector<AuxvEntry> auxv, ReadAuxv(pid));
  for (const AuxvEntry& entry : auxv) {
    // The kernel ends the vector by itself, and CRIU 4 has room for 22 pairs, which is what there
    // are before the end.
    if (entry.type == AT_NULL) break;
    mm->add_mm_saved_auxv(entry.type);
    mm->add_mm_saved_auxv(entry.value);
  }
  return success();
}

// A directory or the executable, by its link in /proc/PID.
Result<uint32_t> AddLink(pid_t pid, const char* name, FileTable& files, Refusals& refusals) {
  const std::string link = fmt::format("/proc/{}/{}", pid, name);
  CKPT_TRY(const LinkedFile file, ReadLinkedFile(link));
  const uint32_t id = files.AddPath(file, S_ISDIR(file.mode) ? O_RDONLY | O_DIRECTORY : O_RDONLY);
  if (!IsDeleted(file)) return id;
  if (const auto reason = files.ghosts().ReasonToRefuse(file)) {
    refusals.Add("{} is {}: {}", name, file.path, *reason);
  } else {
    CKPT_TRY(files.ghosts().Add(id, file, link));
  }
  return id;
}

}  // namespace

Result<> RehearseProcess(pid_t pid, const TaskStat& stat) {
  pb::task_core_entry tc;
  pb::mm_entry mm;
  CKPT_TRY(FillFromProc(pid, stat, &tc));
  return FillMm(pid, stat, &mm);
}

size_t ProcessBatchBytes(size_t posix_timer_count) {
  const size_t needed_bytes = (kFixedCalls + 2 * posix_timer_count) * kBytesOfCall;
  return (needed_bytes + kPageSize - 1) / kPageSize * kPageSize;
}

Result<> CollectProcess(FrozenProcess& process, const TaskStat& stat, const RemoteSyscalls& engine,
                        const std::vector<PosixTimer>& posix_timers, ThreadFacts* leader,
                        pb::task_core_entry* tc, pb::mm_entry* mm) {
  const pid_t pid = process.pid();
  ProcessBatch calls = BuildBatch(engine, posix_timers);
  const OwnKnowledge own(calls.batch);
  const auto read_proc = [&]() -> Result<> {
    CKPT_TRY(FillFromProc(pid, stat, tc));
    return FillMm(pid, stat, mm);
  };
  CKPT_TRY(engine.RunAll(process.leader(), calls.batch, fmt::format("process {}", pid), read_proc));
  own.Tell(calls.batch, leader);

  tc->set_task_state(process.stop_signal() != 0 ? kTaskStopped : kTaskAlive);
  if (process.stop_signal() != 0) tc->set_stop_signo(static_cast<uint32_t>(process.stop_signal()));
  FillSigactions(calls, tc);
  FillTimers(calls, posix_timers, tc->mutable_timers());
  tc->set_child_subreaper(calls.batch.OutputObject<int32_t>(calls.subreaper) != 0);
  if (calls.batch.result(calls.membarrier) > 0) {
    tc->set_membarrier_registration_mask(
        static_cast<uint32_t>(calls.batch.result(calls.membarrier)));
  }
  CKPT_TRY(FillPendingSignals(process.leader(), Tracee::Queue::kProcess, tc->mutable_signals_s()));

  mm->set_mm_brk(static_cast<uint64_t>(calls.batch.result(calls.brk)));
  mm->set_dumpable(static_cast<int32_t>(calls.batch.result(calls.dumpable)));
  mm->set_thp_disabled(calls.batch.result(calls.thp_disabled) == 1);
  return success();
}

Result<> CollectDirectories(pid_t pid, FileTable& files, Refusals& refusals, pb::mm_entry* mm,
                            pb::fs_entry* fs) {
  CKPT_TRY(const uint32_t exe, AddLink(pid, "exe", files, refusals));
  CKPT_TRY(const uint32_t cwd, AddLink(pid, "cwd", files, refusals));
  CKPT_TRY(const uint32_t root, AddLink(pid, "root", files, refusals));
  mm->set_exe_file_id(exe);
  fs->set_cwd_id(cwd);
  fs->set_root_id(root);
  return success();
}

pb::pstree_entry BuildTreeEntry(const std::vector<TaskStatus>& statuses) {
  const TaskStatus& leader = statuses.front();
  pb::pstree_entry entry;
  entry.set_pid(static_cast<uint32_t>(leader.ns_pid.back()));
  entry.set_ppid(0);
  entry.set_pgid(static_cast<uint32_t>(leader.ns_pgid.back()));
  entry.set_sid(static_cast<uint32_t>(leader.ns_sid.back()));
  for (const TaskStatus& status : statuses) {
    entry.add_threads(static_cast<uint32_t>(status.ns_pid.back()));
  }
  return entry;
}

pb::core_entry BuildZombieCore(const TaskStat& stat) {
  pb::core_entry core;
  core.set_mtype(pb::core_entry::X86_64);
  pb::task_core_entry* tc = core.mutable_tc();
  tc->set_task_state(kTaskDead);
  tc->set_exit_code(static_cast<uint32_t>(stat.exit_code));
  tc->set_personality(0);
  tc->set_flags(0);  // PF_EXITING and the like
  tc->set_blk_sigset(0);
  tc->set_comm(stat.comm);
  return core;
}

}  // namespace ckpt
