#include "restorer/thread_plan.h"

#include <sched.h>

#include <cstring>
#include <string>

namespace ckpt {

namespace {

constexpr uint32_t kHighestPlainPolicy = SCHED_IDLE;  // SCHED_DEADLINE has parameters of its own

user_regs_struct RegistersOf(const pb::user_x86_regs_entry& entry) {
  user_regs_struct registers{};
  registers.r15 = entry.r15();
  registers.r14 = entry.r14();
  registers.r13 = entry.r13();
  registers.r12 = entry.r12();
  registers.rbp = entry.bp();
  registers.rbx = entry.bx();
  registers.r11 = entry.r11();
  registers.r10 = entry.r10();
  registers.r9 = entry.r9();
  registers.r8 = entry.r8();
  registers.rax = entry.ax();
  registers.rcx = entry.cx();
  registers.rdx = entry.dx();
  registers.rsi = entry.si();
  registers.rdi = entry.di();
  // Not in a system call: the image holds registers with interrupted calls already seen to.
  registers.orig_rax = ~0ULL;
  registers.rip = entry.ip();
  registers.cs = entry.cs();
  registers.eflags = entry.flags();
  registers.rsp = entry.sp();
  registers.ss = entry.ss();
  registers.fs_base = entry.fs_base();
  registers.gs_base = entry.gs_base();
  registers.ds = entry.ds();
  registers.es = entry.es();
  registers.fs = entry.fs();
  registers.gs = entry.gs();
  return registers;
}

class Planner {
 public:
  Planner(const pb::core_entry& core, uint32_t tid, Findings& findings)
      : core_(core), place_(fmt::format("core-{}.img", tid)), findings_(findings) {
    plan_.tid = static_cast<pid_t>(tid);
  }

  ThreadPlan Plan() {
    if (core_.mtype() != pb::core_entry::X86_64) {
      findings_.Unsupported("{}: registers of {}, this machine is X86_64", place_,
                            pb::core_entry::march_Name(core_.mtype()));
    } else if (!core_.has_thread_info() || !core_.has_thread_core()) {
      findings_.BadFormat("{}: {} is missing", place_,
                          core_.has_thread_info() ? "thread_core" : "thread_info");
    } else {
      PlanRegisters(core_.thread_info());
      PlanState(core_.thread_core());
    }
    return std::move(plan_);
  }

 private:
  void PlanRegisters(const pb::thread_info_x86& info) {
    if (info.gpregs().mode() != pb::NATIVE) {
      findings_.Unsupported("{}: a 32-bit thread, which is not supported", place_);
    }
    for (const pb::user_desc_t& segment : info.tls()) {
      if (segment.seg_not_present()) continue;
      findings_.Unsupported("{}: a segment of set_thread_area(2), entry {}, is not supported",
                            place_, segment.entry_number());
    }
    plan_.registers = RegistersOf(info.gpregs());
    plan_.extended = info.fpregs();
    plan_.clear_tid_address = info.clear_tid_addr();
  }

  void PlanState(const pb::thread_core_entry& thread) {
    plan_.comm = thread.has_comm() ? thread.comm() : core_.tc().comm();
    plan_.signal_mask = thread.has_blk_sigset() ? thread.blk_sigset() : core_.tc().blk_sigset();
    plan_.pending = PlanPendingSignals(thread.signals_p(), place_, findings_);
    plan_.robust_list = thread.futex_rla();
    plan_.robust_list_bytes = thread.futex_rla_len();
    plan_.parent_death_signal = static_cast<int>(thread.pdeath_sig());
    if (thread.has_sas()) {
      plan_.alternate_stack =
          AlternateStackPlan{.start = thread.sas().ss_sp(),
                             .size_bytes = thread.sas().ss_size(),
                             .flags = static_cast<int>(thread.sas().ss_flags())};
    }
    PlanRseq(thread);
    PlanScheduling(thread);
    PlanSecurity(thread);
  }

  void PlanRseq(const pb::thread_core_entry& thread) {
    if (!thread.has_rseq_entry() || thread.rseq_entry().rseq_abi_pointer() == 0) return;
    const pb::rseq_entry& rseq = thread.rseq_entry();
    plan_.rseq = RseqPlan{.abi_pointer = rseq.rseq_abi_pointer(),
                          .abi_size_bytes = rseq.rseq_abi_size(),
                          .signature = rseq.signature(),
                          .critical_section = rseq.rseq_cs_pointer()};
  }

  void PlanScheduling(const pb::thread_core_entry& thread) {
    if (!thread.has_sched_policy()) return;
    const uint32_t policy = thread.sched_policy() & ~uint32_t{SCHED_RESET_ON_FORK};
    if (policy > kHighestPlainPolicy) {
      findings_.Unsupported("{}: scheduling policy {}, supported are 0 to {}", place_, policy,
                            kHighestPlainPolicy);
    }
    plan_.scheduling = SchedulingPlan{.policy = static_cast<int>(thread.sched_policy()),
                                      .priority = static_cast<int>(thread.sched_prio()),
                                      .nice = thread.sched_nice()};
  }

  void PlanSecurity(const pb::thread_core_entry& thread) {
    if (thread.seccomp_mode() != pb::disabled) {
      findings_.Unsupported("{}: seccomp mode \"{}\" is not supported", place_,
                            pb::seccomp_mode_Name(thread.seccomp_mode()));
    }
    if (!thread.has_creds()) {
      findings_.Unsupported("{}: thread_core.creds is missing: an image from before CRIU 2.0",
                            place_);
      return;
    }
    PlanCredentials(thread.creds());
  }

  template <typename Words>
  uint64_t CapabilitySet(const Words& words, std::string_view name) {
    if (words.size() > 2) {
      findings_.BadFormat("{}: creds.{} has {} words, at most 2 are allowed", place_, name,
                          words.size());
    }
    uint64_t set = 0;
    for (int i = 0; i < words.size() && i < 2; ++i) set |= uint64_t{words.Get(i)} << (32 * i);
    return set;
  }

  void PlanCredentials(const pb::creds_entry& creds) {
    CredentialsPlan& plan = plan_.credentials;
    plan.uid = creds.uid();
    plan.euid = creds.euid();
    plan.suid = creds.suid();
    plan.fsuid = creds.fsuid();
    plan.gid = creds.gid();
    plan.egid = creds.egid();
    plan.sgid = creds.sgid();
    plan.fsgid = creds.fsgid();
    plan.groups = {creds.groups().begin(), creds.groups().end()};
    plan.inheritable = CapabilitySet(creds.cap_inh(), "cap_inh");
    plan.permitted = CapabilitySet(creds.cap_prm(), "cap_prm");
    plan.effective = CapabilitySet(creds.cap_eff(), "cap_eff");
    plan.ambient = CapabilitySet(creds.cap_amb(), "cap_amb");
    if (creds.cap_bnd_size() != 0) plan.bounding = CapabilitySet(creds.cap_bnd(), "cap_bnd");
    plan.securebits = creds.secbits();
    plan.no_new_privileges = creds.no_new_privs() != 0;
    for (const std::string& profile : {creds.lsm_profile(), creds.apparmor_data()}) {
      if (profile.empty() || profile == "unconfined") continue;
      findings_.Unsupported("{}: a security profile (\"{}\") is not supported", place_, profile);
    }
  }

  const pb::core_entry& core_;
  std::string place_;
  Findings& findings_;
  ThreadPlan plan_;
};

}  // namespace

ThreadPlan PlanThread(const pb::core_entry& core, uint32_t tid, Findings& findings) {
  return Planner(core, tid, findings).Plan();
}

std::vector<SignalInfo> PlanPendingSignals(const pb::signal_queue_entry& queue,
                                           std::string_view place, Findings& findings) {
  std::vector<SignalInfo> pending;
  for (const pb::siginfo_entry& entry : queue.signals()) {
    SignalInfo info{};
    if (entry.siginfo().size() != info.size()) {
      findings.BadFormat("{}: a pending signal of {} bytes, a siginfo_t has {}", place,
                         entry.siginfo().size(), info.size());
      continue;
    }
    std::memcpy(info.data(), entry.siginfo().data(), info.size());
    pending.push_back(info);
  }
  return pending;
}

}  // namespace ckpt
