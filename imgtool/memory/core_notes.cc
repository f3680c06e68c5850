#include "imgtool/memory/core_notes.h"

#include <elf.h>
#include <sys/procfs.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <string_view>

#include "imgtool/memory/xsave_area.h"

namespace ckpt {
namespace {

constexpr std::string_view kCore = "CORE";
constexpr std::string_view kLinux = "LINUX";
constexpr uint32_t kTaskStopped = 3;
constexpr size_t kSiginfoBytes = 128;

template <typename T>
std::string BytesOf(const T& value) {
  std::string bytes(sizeof(value), '\0');
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

void Pad(std::string& bytes) { bytes.resize((bytes.size() + 3) / 4 * 4); }

void AppendNote(std::string& notes, std::string_view name, uint32_t type,
                std::string_view content) {
  const Elf64_Nhdr header = {.n_namesz = static_cast<Elf64_Word>(name.size() + 1),
                             .n_descsz = static_cast<Elf64_Word>(content.size()),
                             .n_type = type};
  notes += BytesOf(header);
  notes += name;
  notes += '\0';
  Pad(notes);
  notes += content;
  Pad(notes);
}

// In the order of struct user_regs_struct.
std::array<uint64_t, ELF_NGREG> GeneralRegisters(const pb::user_x86_regs_entry& regs) {
  return {regs.r15(),   regs.r14(), regs.r13(), regs.r12(),     regs.bp(),      regs.bx(),
          regs.r11(),   regs.r10(), regs.r9(),  regs.r8(),      regs.ax(),      regs.cx(),
          regs.dx(),    regs.si(),  regs.di(),  regs.orig_ax(), regs.ip(),      regs.cs(),
          regs.flags(), regs.sp(),  regs.ss(),  regs.fs_base(), regs.gs_base(), regs.ds(),
          regs.es(),    regs.fs(),  regs.gs()};
}

// The set of the signals that wait for a thread; each begins with its number.
uint64_t PendingSignals(const pb::signal_queue_entry& queue) {
  uint64_t pending = 0;
  for (const pb::siginfo_entry& entry : queue.signals()) {
    int32_t number = 0;
    if (entry.siginfo().size() < sizeof(number)) continue;
    std::memcpy(&number, entry.siginfo().data(), sizeof(number));
    if (number >= 1 && number <= 64) pending |= uint64_t{1} << (number - 1);
  }
  return pending;
}

void PutIds(const pb::pstree_entry& tree, uint32_t tid, auto& status) {
  status.pr_pid = static_cast<pid_t>(tid);
  status.pr_ppid = static_cast<pid_t>(tree.ppid());
  status.pr_pgrp = static_cast<pid_t>(tree.pgid());
  status.pr_sid = static_cast<pid_t>(tree.sid());
}

std::string Status(const DumpedProcess& process, const DumpedThread& thread) {
  const pb::core_entry& core = thread.core;
  elf_prstatus status{};
  PutIds(process.tree, thread.tid, status);
  status.pr_sigpend = PendingSignals(core.thread_core().signals_p());
  status.pr_sighold = core.has_tc() ? core.tc().blk_sigset() : core.thread_core().blk_sigset();
  const auto registers = GeneralRegisters(core.thread_info().gpregs());
  std::ranges::copy(registers, std::begin(status.pr_reg));
  status.pr_fpvalid = 1;
  return BytesOf(status);
}

Result<std::string> ShownArguments(const ProcessMemory& memory, size_t size_bytes) {
  const pb::mm_entry& mm = memory.process().mm;
  if (mm.mm_arg_end() < mm.mm_arg_start()) return std::string();
  const uint64_t wanted = std::min<uint64_t>(mm.mm_arg_end() - mm.mm_arg_start(), size_bytes);
  auto bytes = memory.Read({mm.mm_arg_start(), mm.mm_arg_start() + wanted}, size_bytes);
  // What the dump does not hold a core can do without.
  if (bytes.has_error()) return std::string();
  std::ranges::replace(bytes.value(), '\0', ' ');
  return bytes;
}

Result<std::string> ProcessInfo(const ProcessMemory& memory) {
  const DumpedProcess& process = memory.process();
  const pb::task_core_entry& task = process.core.tc();
  const pb::thread_core_entry& thread = process.core.thread_core();
  elf_prpsinfo info{};
  PutIds(process.tree, process.tree.pid(), info);
  const bool is_stopped = task.task_state() == kTaskStopped;
  info.pr_state = is_stopped ? 3 : 0;  // as in the kernel's "RSDTZW"
  info.pr_sname = is_stopped ? 'T' : 'R';
  info.pr_nice = static_cast<char>(thread.sched_nice());
  info.pr_flag = task.flags();
  info.pr_uid = thread.creds().uid();
  info.pr_gid = thread.creds().gid();
  CKPT_TRY(const std::string arguments, ShownArguments(memory, sizeof(info.pr_psargs) - 1));
  task.comm().copy(info.pr_fname, sizeof(info.pr_fname) - 1);
  arguments.copy(info.pr_psargs, sizeof(info.pr_psargs) - 1);
  return BytesOf(info);
}

// Pairs up to AT_NULL, and one of that: images have it with more behind it, or not at all.
std::string AuxiliaryVector(const pb::mm_entry& mm) {
  std::string bytes;
  for (int i = 0; i + 1 < mm.mm_saved_auxv_size() && mm.mm_saved_auxv(i) != AT_NULL; i += 2) {
    bytes += BytesOf(uint64_t{mm.mm_saved_auxv(i)}) + BytesOf(uint64_t{mm.mm_saved_auxv(i + 1)});
  }
  return bytes + BytesOf(uint64_t{AT_NULL}) + BytesOf(uint64_t{0});
}

// NT_FILE: count, page size, a triple for each mapping, then the names.
std::string MappedFilesNote(const ProcessMemory& memory) {
  std::string table;
  std::string names;
  uint64_t count = 0;
  for (const pb::vma_entry& vma : memory.process().mm.vmas()) {
    if (!MapsFile(vma)) continue;
    ++count;
    table += BytesOf(uint64_t{vma.start()}) + BytesOf(uint64_t{vma.end()}) +
             BytesOf(uint64_t{vma.pgoff() / kPageBytes});
    // A name ends at its first zero byte: what stands behind it would be the next one's.
    const std::string name = NameOfMapping(vma, memory.files());
    names += name.substr(0, name.find('\0'));
    names += '\0';
  }
  return count == 0 ? "" : BytesOf(count) + BytesOf(uint64_t{kPageBytes}) + table + names;
}

Result<> CheckRegisters(const DumpedThread& thread) {
  const pb::core_entry& core = thread.core;
  if (core.mtype() != pb::core_entry::X86_64 || !core.has_thread_info()) {
    return MakeError(ErrorCode::kUnsupported, "core-{}.img: no registers of x86-64", thread.tid);
  }
  if (core.thread_info().gpregs().mode() == pb::NATIVE) return success();
  return MakeError(ErrorCode::kUnsupported, "core-{}.img: registers of 32-bit code", thread.tid);
}

Result<> AppendExtendedRegisters(const DumpedThread& thread, std::string& notes) {
  const pb::user_x86_fpregs_entry& registers = thread.core.thread_info().fpregs();
  auto fxsave = BuildFxsaveArea(registers);
  auto xsave = BuildXsaveArea(registers);
  for (auto* area : {&fxsave, &xsave}) {
    if (area->has_error()) {
      return std::move(*area).error().In(fmt::format("core-{}.img", thread.tid));
    }
  }
  AppendNote(notes, kCore, NT_FPREGSET, fxsave.value());
  if (!xsave.value().empty()) AppendNote(notes, kLinux, NT_X86_XSTATE, xsave.value());
  return success();
}

Result<> AppendProcess(const ProcessMemory& memory, std::string& notes) {
  CKPT_TRY(const std::string info, ProcessInfo(memory));
  AppendNote(notes, kCore, NT_PRPSINFO, info);
  AppendNote(notes, kCore, NT_SIGINFO, std::string(kSiginfoBytes, '\0'));
  AppendNote(notes, kCore, NT_AUXV, AuxiliaryVector(memory.process().mm));
  const std::string files = MappedFilesNote(memory);
  if (!files.empty()) AppendNote(notes, kCore, NT_FILE, files);
  return success();
}

}  // namespace

Result<std::string> BuildCoreNotes(const ProcessMemory& memory,
                                   const std::vector<DumpedThread>& threads) {
  std::string notes;
  for (const DumpedThread& thread : threads) {
    CKPT_TRY(CheckRegisters(thread));
    AppendNote(notes, kCore, NT_PRSTATUS, Status(memory.process(), thread));
    if (thread.tid == memory.pid()) CKPT_TRY(AppendProcess(memory, notes));
    CKPT_TRY(AppendExtendedRegisters(thread, notes));
  }
  return notes;
}

}  // namespace ckpt
