#include "restorer/sample_images.h"

#include <sys/mman.h>

#include "formats/vma_status.h"

namespace ckpt {

namespace {

void FillRegisters(pb::user_x86_regs_entry& registers) {
  const google::protobuf::Reflection& reflection = *registers.GetReflection();
  const google::protobuf::Descriptor& descriptor = *registers.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto* field = descriptor.field(i);
    if (field->is_required()) reflection.SetUInt64(&registers, field, 0);
  }
  registers.set_ip(0x400000);
  registers.set_cs(0x33);
  registers.set_ss(0x2b);
  registers.set_flags(0x202);
  registers.set_sp(0x501000);
}

void FillFloatingPoint(pb::user_x86_fpregs_entry& registers) {
  registers.set_cwd(0x37f);
  registers.set_swd(0);
  registers.set_twd(0);
  registers.set_fop(0);
  registers.set_rip(0);
  registers.set_rdp(0);
  registers.set_mxcsr(0x1f80);
  registers.set_mxcsr_mask(0xffff);
  for (int i = 0; i < 32; ++i) registers.add_st_space(0);
  for (int i = 0; i < 64; ++i) registers.add_xmm_space(0);
}

void FillProcess(pb::task_core_entry& task) {
  task.set_task_state(1);
  task.set_exit_code(0);
  task.set_personality(0);
  task.set_flags(0);
  task.set_blk_sigset(0);
  task.set_comm("sample");
  for (pb::itimer_entry* timer :
       {task.mutable_timers()->mutable_real(), task.mutable_timers()->mutable_virt(),
        task.mutable_timers()->mutable_prof()}) {
    timer->set_isec(0);
    timer->set_iusec(0);
    timer->set_vsec(0);
    timer->set_vusec(0);
  }
  task.mutable_rlimits();
  for (int i = 0; i < 62; ++i) {
    pb::sa_entry& action = *task.add_sigactions();
    action.set_sigaction(0);
    action.set_flags(0);
    action.set_restorer(0);
    action.set_mask(0);
  }
}

void FillCredentials(pb::creds_entry& creds) {
  creds.set_uid(0);
  creds.set_gid(0);
  creds.set_euid(0);
  creds.set_egid(0);
  creds.set_suid(0);
  creds.set_sgid(0);
  creds.set_fsuid(0);
  creds.set_fsgid(0);
  creds.set_secbits(0);
}

pb::mm_entry SampleMemory() {
  pb::mm_entry mm;
  const google::protobuf::Reflection& reflection = *mm.GetReflection();
  const google::protobuf::Descriptor& descriptor = *mm.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto* field = descriptor.field(i);
    if (field->is_required() && field->cpp_type() == field->CPPTYPE_UINT64) {
      reflection.SetUInt64(&mm, field, 0x400000);
    }
  }
  mm.set_exe_file_id(kSampleExeId);
  *mm.add_vmas() = SampleMapping(0x400000, 0x401000, kVmaRegular | kVmaFilePrivate, MAP_PRIVATE,
                                 PROT_READ | PROT_EXEC);
  mm.mutable_vmas(0)->set_shmid(kSampleExeId);
  *mm.add_vmas() = SampleMapping(0x500000, 0x501000, kVmaRegular | kVmaAnonPrivate,
                                 MAP_PRIVATE | MAP_ANONYMOUS, PROT_READ | PROT_WRITE);
  return mm;
}

pb::task_kobj_ids_entry SampleIds(uint32_t kernel_objects) {
  pb::task_kobj_ids_entry ids;
  ids.set_vm_id(kernel_objects);
  ids.set_files_id(kernel_objects);
  ids.set_fs_id(kernel_objects);
  ids.set_sighand_id(kernel_objects);
  ids.set_pid_ns_id(1);
  ids.set_net_ns_id(2);
  ids.set_mnt_ns_id(3);
  return ids;
}

}  // namespace

pb::vma_entry SampleMapping(uint64_t start, uint64_t end, uint32_t status, uint32_t flags,
                            uint32_t protection) {
  pb::vma_entry vma;
  vma.set_start(start);
  vma.set_end(end);
  vma.set_pgoff(0);
  vma.set_shmid(0);
  vma.set_prot(protection);
  vma.set_flags(flags);
  vma.set_status(status);
  vma.set_fd(-1);
  return vma;
}

pb::file_entry SampleFile(uint32_t id, const std::string& path) {
  pb::file_entry file;
  file.set_type(pb::REG);
  file.set_id(id);
  pb::reg_file_entry& reg = *file.mutable_reg();
  reg.set_id(id);
  reg.set_flags(0);
  reg.set_pos(0);
  reg.set_name(path);
  pb::fown_entry& owner = *reg.mutable_fown();
  owner.set_uid(0);
  owner.set_euid(0);
  owner.set_signum(0);
  owner.set_pid_type(0);
  owner.set_pid(0);
  return file;
}

pb::core_entry SampleThread() {
  pb::core_entry core;
  core.set_mtype(pb::core_entry::X86_64);
  core.mutable_thread_info()->set_clear_tid_addr(0);
  FillRegisters(*core.mutable_thread_info()->mutable_gpregs());
  FillFloatingPoint(*core.mutable_thread_info()->mutable_fpregs());
  core.mutable_thread_core()->set_futex_rla(0);
  core.mutable_thread_core()->set_futex_rla_len(0);
  FillCredentials(*core.mutable_thread_core()->mutable_creds());
  return core;
}

DumpImages SampleImages(uint32_t pid) {
  DumpImages images;
  images.inventory.set_img_version(2);
  *images.inventory.mutable_root_ids() = SampleIds(1);
  TaskImages& task = images.tasks.emplace_back();
  task.tree.set_pid(pid);
  task.tree.set_ppid(0);
  task.tree.set_pgid(pid);
  task.tree.set_sid(pid);
  task.tree.add_threads(pid);
  task.threads.push_back(SampleThread());
  FillProcess(*task.threads.front().mutable_tc());
  task.ids = SampleIds(2);
  task.mm = SampleMemory();
  task.fs.emplace();
  task.fs->set_cwd_id(kSampleDirectoryId);
  task.fs->set_root_id(kSampleDirectoryId);
  images.files = {SampleFile(kSampleExeId, "/bin/sh"), SampleFile(kSampleDirectoryId, "/")};
  return images;
}

}  // namespace ckpt
