#include "dumper/thread_state.h"

#include <cstdint>

#include "dumper/registers.h"

namespace ckpt {

namespace {

template <typename Field>
void AddCapabilities(uint64_t set, Field* field) {
  field->Add(static_cast<uint32_t>(set));
  field->Add(static_cast<uint32_t>(set >> 32));
}

void FillCredentials(const ThreadFacts& facts, pb::creds_entry* creds) {
  const TaskStatus& status = facts.status;
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
  creds->set_secbits(facts.securebits);
}

void FillAlternateStack(const stack_t& stack, pb::thread_sas_entry* sas) {
  sas->set_ss_sp(reinterpret_cast<uint64_t>(stack.ss_sp));
  sas->set_ss_size(stack.ss_size);
  sas->set_ss_flags(static_cast<uint32_t>(stack.ss_flags));
}

void FillRseq(const ThreadFacts& facts, pb::thread_core_entry* entry) {
  if (!facts.rseq || facts.rseq->abi_pointer == 0) return;
  pb::rseq_entry* rseq = entry->mutable_rseq_entry();
  rseq->set_rseq_abi_pointer(facts.rseq->abi_pointer);
  rseq->set_rseq_abi_size(facts.rseq->abi_size_bytes);
  rseq->set_signature(facts.rseq->signature);
}

void FillScheduling(const ThreadFacts& facts, pb::thread_core_entry* entry) {
  entry->set_sched_nice(facts.nice);
  entry->set_sched_policy(facts.policy);
  entry->set_sched_prio(facts.realtime_priority);
}

}  // namespace

void FillPendingSignals(const std::vector<siginfo_t>& signals, pb::signal_queue_entry* entry) {
  for (const siginfo_t& signal : signals) {
    entry->add_signals()->set_siginfo(&signal, sizeof(signal));
  }
}

Result<> FillThread(const ThreadFacts& facts, pb::core_entry* core) {
  core->set_mtype(pb::core_entry::X86_64);
  pb::thread_info_x86* info = core->mutable_thread_info();
  info->set_clear_tid_addr(facts.clear_tid_address);
  FillGeneralRegisters(ResumableRegisters(facts.registers), info->mutable_gpregs());
  Result<> filled = FillExtendedState(facts.xstate, info->mutable_fpregs());
  if (filled.has_error()) return std::move(filled).error().In(fmt::format("thread {}", facts.tid));

  pb::thread_core_entry* entry = core->mutable_thread_core();
  entry->set_futex_rla(facts.robust_list);
  entry->set_futex_rla_len(facts.robust_list_bytes);
  FillScheduling(facts, entry);
  FillAlternateStack(facts.alternate_stack, entry->mutable_sas());
  FillPendingSignals(facts.pending, entry->mutable_signals_p());
  FillCredentials(facts, entry->mutable_creds());
  entry->set_seccomp_mode(pb::disabled);
  entry->set_blk_sigset(facts.signal_mask);
  entry->set_pdeath_sig(facts.parent_death_signal);
  entry->set_comm(facts.status.name);
  FillRseq(facts, entry);
  return success();
}

Result<> FillPendingSignals(const Tracee& thread, Tracee::Queue queue,
                            pb::signal_queue_entry* entry) {
  CKPT_TRY(const std::vector<siginfo_t> signals, thread.PeekSignals(queue));
  FillPendingSignals(signals, entry);
  return success();
}

}  // namespace ckpt
