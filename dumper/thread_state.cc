#include "dumper/thread_state.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "dumper/registers.h"
#include "process/task_stat.h"
#include "process/task_status.h"

namespace ckpt {

namespace {

using enum SyscallBatch::OnError;

// What only the thread itself can tell.
Result<> FillOwnKnowledge(Tracee& thread, const RemoteSyscalls& engine, pb::core_entry* core) {
  SyscallBatch batch = engine.NewBatch(4);
  const RemotePtr altstack = batch.Reserve(sizeof(stack_t));
  const RemotePtr tid_address = batch.Reserve(sizeof(uint64_t));
  const RemotePtr death_signal = batch.Reserve(sizeof(int32_t));
  batch.Add(kStop, SYS_sigaltstack, {0, altstack});
  // CONFIG_CHECKPOINT_RESTORE; without it the kernel cannot be restored on either.
  batch.Add(kStop, SYS_prctl, {PR_GET_TID_ADDRESS, tid_address});
  batch.Add(kStop, SYS_prctl, {PR_GET_PDEATHSIG, death_signal});
  const size_t securebits = batch.Add(kStop, SYS_prctl, {PR_GET_SECUREBITS});
  CKPT_TRY(engine.RunAll(thread, batch, fmt::format("thread {}", thread.tid())));

  const auto stack = batch.OutputObject<stack_t>(altstack);
  pb::thread_sas_entry* sas = core->mutable_thread_core()->mutable_sas();
  sas->set_ss_sp(reinterpret_cast<uint64_t>(stack.ss_sp));
  sas->set_ss_size(stack.ss_size);
  sas->set_ss_flags(static_cast<uint32_t>(stack.ss_flags));
  core->mutable_thread_info()->set_clear_tid_addr(batch.OutputObject<uint64_t>(tid_address));
  core->mutable_thread_core()->set_pdeath_sig(batch.OutputObject<uint32_t>(death_signal));
  core->mutable_thread_core()->mutable_creds()->set_secbits(
      static_cast<uint32_t>(batch.result(securebits)));
  return success();
}

Result<> FillRegisters(const Tracee& thread, pb::core_entry* core) {
  CKPT_TRY(const user_regs_struct registers, thread.GetRegisters());
  CKPT_TRY(const std::vector<std::byte> xstate, thread.GetXState());
  CKPT_TRY(const uint64_t mask, thread.GetSignalMask());
  core->set_mtype(pb::core_entry::X86_64);
  FillGeneralRegisters(ResumableRegisters(registers),
                       core->mutable_thread_info()->mutable_gpregs());
  core->mutable_thread_core()->set_blk_sigset(mask);
  Result<> filled = FillExtendedState(xstate, core->mutable_thread_info()->mutable_fpregs());
  if (filled.has_error())
    return std::move(filled).error().In(fmt::format("thread {}", thread.tid()));
  return success();
}

Result<> FillRobustList(pid_t tid, pb::thread_core_entry* entry) {
  robust_list_head* head = nullptr;
  size_t length_bytes = 0;
  if (syscall(SYS_get_robust_list, tid, &head, &length_bytes) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "get_robust_list({})", tid);
  }
  entry->set_futex_rla(reinterpret_cast<uint64_t>(head));
  entry->set_futex_rla_len(static_cast<uint32_t>(length_bytes));
  return success();
}

Result<> FillScheduling(pid_t pid, pid_t tid, pb::thread_core_entry* entry) {
  CKPT_TRY(const TaskStat stat, ReadTaskStat(pid, tid));
  entry->set_sched_nice(static_cast<int32_t>(stat.nice));
  entry->set_sched_policy(stat.policy);
  entry->set_sched_prio(stat.rt_priority);
  entry->set_comm(stat.comm);
  return success();
}

template <typename Field>
void AddCapabilities(uint64_t set, Field* field) {
  field->Add(static_cast<uint32_t>(set));
  field->Add(static_cast<uint32_t>(set >> 32));
}

Result<> FillCredentials(pid_t pid, pid_t tid, pb::thread_core_entry* entry) {
  CKPT_TRY(const TaskStatus status, ReadTaskStatus(pid, tid));
  pb::creds_entry* creds = entry->mutable_creds();
  creds->set_uid(status.uid.real);
  creds->set_euid(status.uid.effective);
  creds->set_suid(status.uid.saved);
  creds->set_fsuid(status.uid.filesystem);
  creds->set_gid(status.gid.real);
  creds->set_egid(status.gid.effective);
  creds->set_sgid(status.gid.saved);
  creds->set_fsgid(status.gid.filesystem);
  AddCapabilities(status.cap_inheritable, creds->mutable_cap_inh());
  AddCapabilities(status.cap_permitted, creds->mutable_cap_prm());
  AddCapabilities(status.cap_effective, creds->mutable_cap_eff());
  AddCapabilities(status.cap_bounding, creds->mutable_cap_bnd());
  AddCapabilities(status.cap_ambient, creds->mutable_cap_amb());
  for (const uint32_t group : status.groups) creds->add_groups(group);
  creds->set_no_new_privs(status.no_new_privs ? 1 : 0);
  entry->set_seccomp_mode(pb::disabled);
  return success();
}

Result<> FillRseq(const Tracee& thread, pb::thread_core_entry* entry) {
  CKPT_TRY(const auto configuration, thread.GetRseqConfiguration());
  if (!configuration || configuration->abi_pointer == 0) return success();
  pb::rseq_entry* rseq = entry->mutable_rseq_entry();
  rseq->set_rseq_abi_pointer(configuration->abi_pointer);
  rseq->set_rseq_abi_size(configuration->abi_size_bytes);
  rseq->set_signature(configuration->signature);
  return success();
}

}  // namespace

Result<> FillPendingSignals(const Tracee& thread, Tracee::Queue queue,
                            pb::signal_queue_entry* entry) {
  CKPT_TRY(const std::vector<siginfo_t> signals, thread.PeekSignals(queue));
  for (const siginfo_t& signal : signals) {
    entry->add_signals()->set_siginfo(&signal, sizeof(signal));
  }
  return success();
}

Result<> CollectThread(pid_t pid, Tracee& thread, const RemoteSyscalls& engine,
                       pb::core_entry* core) {
  pb::thread_core_entry* entry = core->mutable_thread_core();
  CKPT_TRY(FillRegisters(thread, core));
  CKPT_TRY(FillOwnKnowledge(thread, engine, core));
  CKPT_TRY(FillRobustList(thread.tid(), entry));
  CKPT_TRY(FillScheduling(pid, thread.tid(), entry));
  CKPT_TRY(FillCredentials(pid, thread.tid(), entry));
  CKPT_TRY(FillRseq(thread, entry));
  return FillPendingSignals(thread, Tracee::Queue::kThread, entry->mutable_signals_p());
}

}  // namespace ckpt
