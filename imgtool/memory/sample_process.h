// For tests: a dump with a process whose memory has a page of every kind, in two layers.
#ifndef IMGTOOL_MEMORY_SAMPLE_PROCESS_H_
#define IMGTOOL_MEMORY_SAMPLE_PROCESS_H_

#include <sys/mman.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/image_file.h"
#include "formats/image_writer.h"
#include "formats/pagemap.h"
#include "formats/proto/files.pb.h"
#include "formats/vma_status.h"
#include "imgtool/sample_dump.h"

namespace ckpt {

inline pb::vma_entry SampleVma(uint64_t start, uint64_t end, uint32_t status, uint64_t shmid = 0,
                               uint64_t pgoff = 0) {
  pb::vma_entry vma;
  vma.set_start(start);
  vma.set_end(end);
  vma.set_pgoff(pgoff);
  vma.set_shmid(shmid);
  vma.set_prot(PROT_READ | PROT_WRITE);
  const bool is_shared = (status & (kVmaAnonShared | kVmaFileShared)) != 0;
  vma.set_flags(is_shared ? MAP_SHARED : MAP_PRIVATE);
  vma.set_status(status | kVmaRegular);
  vma.set_fd(-1);
  return vma;
}

inline pb::mm_entry SampleMm(const std::vector<pb::vma_entry>& vmas) {
  pb::mm_entry mm;
  for (const auto set :
       {&pb::mm_entry::set_mm_start_code, &pb::mm_entry::set_mm_end_code,
        &pb::mm_entry::set_mm_start_data, &pb::mm_entry::set_mm_end_data,
        &pb::mm_entry::set_mm_start_stack, &pb::mm_entry::set_mm_start_brk,
        &pb::mm_entry::set_mm_brk, &pb::mm_entry::set_mm_arg_start, &pb::mm_entry::set_mm_arg_end,
        &pb::mm_entry::set_mm_env_start, &pb::mm_entry::set_mm_env_end}) {
    (mm.*set)(0);
  }
  mm.set_exe_file_id(1);
  mm.mutable_vmas()->Assign(vmas.begin(), vmas.end());
  return mm;
}

inline pb::core_entry SampleCore(uint32_t task_state = 1) {
  pb::core_entry core;
  core.set_mtype(pb::core_entry::X86_64);
  pb::thread_info_x86& info = *core.mutable_thread_info();
  info.set_clear_tid_addr(0);
  // All registers are required: numbers that tell them apart.
  pb::user_x86_regs_entry& regs = *info.mutable_gpregs();
  for (int i = 0; i < pb::user_x86_regs_entry::descriptor()->field_count(); ++i) {
    const auto* field = pb::user_x86_regs_entry::descriptor()->field(i);
    if (!field->is_required()) continue;
    regs.GetReflection()->SetUInt64(&regs, field, 0x1000u + static_cast<uint64_t>(i));
  }
  pb::user_x86_fpregs_entry& fpregs = *info.mutable_fpregs();
  fpregs.set_cwd(0x37f);
  fpregs.set_swd(0);
  fpregs.set_twd(0);
  fpregs.set_fop(0);
  fpregs.set_rip(0);
  fpregs.set_rdp(0);
  fpregs.set_mxcsr(0x1f80);
  fpregs.set_mxcsr_mask(0xffff);
  for (int i = 0; i < 32; ++i) fpregs.add_st_space(0);
  for (int i = 0; i < 64; ++i) fpregs.add_xmm_space(0);
  pb::task_core_entry& task = *core.mutable_tc();
  task.set_task_state(task_state);
  task.set_exit_code(0);
  task.set_personality(0);
  task.set_flags(0);
  task.set_blk_sigset(0x200);
  task.set_comm("app");
  return core;
}

inline pb::pstree_entry SampleTreeEntry(uint32_t pid, std::vector<uint32_t> threads) {
  pb::pstree_entry entry;
  entry.set_pid(pid);
  entry.set_ppid(1);
  entry.set_pgid(pid);
  entry.set_sid(pid);
  entry.mutable_threads()->Assign(threads.begin(), threads.end());
  return entry;
}

// A page that begins with `begin` and ends with `end`; dots between them.
inline std::string SamplePage(std::string_view begin, std::string_view end = "") {
  std::string page(kPageBytes, '.');
  page.replace(0, begin.size(), begin);
  page.replace(kPageBytes - end.size(), end.size(), end);
  return page;
}

// A pagemap and its pages image.
inline void WritePages(SampleDump& dump, ImageType type, uint64_t id, uint32_t pages_id,
                       const std::vector<pb::pagemap_entry>& entries, const std::string& pages) {
  ImageEncoder image(type);
  pb::pagemap_head head;
  head.set_pages_id(pages_id);
  CKPT_CHECK(image.Append(head).has_value());
  for (const auto& entry : entries) CKPT_CHECK(image.Append(entry).has_value());
  dump.WriteFile(ImageFileName(type, id), image.bytes());
  dump.WriteFile(ImageFileName(ImageType::kPages, pages_id), pages);
}

inline pb::core_entry SampleThreadCore() {
  pb::core_entry core = SampleCore();
  core.clear_tc();
  pb::thread_core_entry& thread = *core.mutable_thread_core();
  thread.set_futex_rla(0);
  thread.set_futex_rla_len(0);
  thread.set_blk_sigset(0x400);
  return core;
}

// Process 12 with thread 13, and a zombie, 14, in DIRECTORY/2, whose parent is DIRECTORY/1:
//
//   001000-004000 /usr/bin/app, of which the dump has nothing
//   004000-006000 the same file from 0x3000 on; its second page was written to
//   006000-00a000 [heap]: a page of this dump, one of its parent, one never touched, a lazy one
//   010000-013000 shared memory 5 from 0x1000 on, of which the first page was written
//   020000-021000 the memfd "notes"
//   7ff000-800000 [stack], with arguments and environment
//   ffffffffff600000-ffffffffff601000 [vsyscall]
class SampleProcess {
 public:
  static constexpr uint64_t kArguments = 0x7ff800;
  static inline const std::string kArgumentBytes{"app\0--name\0J\xc3\xb6rg\n\0", 18};
  static inline const std::string kEnvironmentBytes{"HOME=/root\0EMPTY=\0", 18};

  explicit SampleProcess(const std::string& directory)
      : parent_(directory + "/1"), dump_(directory + "/2") {
    std::filesystem::create_directory_symlink("../1", dump_.Path("parent"));
    WriteTasks();
    WriteMm(SampleMappings());
    WriteFiles();
    WriteMemory();
  }

  SampleDump& dump() { return dump_; }

  // For many of them: without a sync.
  void Overwrite(const std::string& name, const std::string& bytes) {
    std::ofstream file(dump_.Path(name), std::ios::binary | std::ios::trunc);
    file << bytes;
    CKPT_CHECK(file.flush().good());
  }
  const std::string& path() const { return dump_.directory(); }

  static std::vector<pb::vma_entry> SampleMappings() {
    std::vector<pb::vma_entry> vmas = {
        SampleVma(0x1000, 0x4000, kVmaFilePrivate, 1),
        SampleVma(0x4000, 0x6000, kVmaFilePrivate, 1, 0x3000),
        SampleVma(0x6000, 0xa000, kVmaAnonPrivate | kVmaHeap),
        SampleVma(0x10000, 0x13000, kVmaAnonShared, 5, 0x1000),
        SampleVma(0x20000, 0x21000, kVmaFileShared | kVmaMemfd, 2),
        SampleVma(0x7ff000, 0x800000, kVmaAnonPrivate | kVmaStack),
        SampleVma(0xffffffffff600000, 0xffffffffff601000, kVmaVsyscall),
    };
    vmas[0].set_prot(PROT_READ | PROT_EXEC);
    vmas.back().set_prot(PROT_EXEC);
    return vmas;
  }

  void WriteMm(const std::vector<pb::vma_entry>& vmas) {
    pb::mm_entry mm = SampleMm(vmas);
    mm.set_mm_arg_start(kArguments);
    mm.set_mm_arg_end(kArguments + kArgumentBytes.size());
    mm.set_mm_env_start(mm.mm_arg_end());
    mm.set_mm_env_end(mm.mm_env_start() + kEnvironmentBytes.size());
    for (const uint64_t word : {6, 4096, 0, 0}) mm.add_mm_saved_auxv(word);
    dump_.Write<pb::mm_entry>(ImageType::kMm, 12, {mm});
  }

 private:
  void WriteTasks() {
    dump_.Write<pb::pstree_entry>(ImageType::kPstree, 0,
                                  {SampleTreeEntry(12, {12, 13}), SampleTreeEntry(14, {14})});
    dump_.Write<pb::core_entry>(ImageType::kCore, 12, {SampleCore()});
    dump_.Write<pb::core_entry>(ImageType::kCore, 13, {SampleThreadCore()});
    pb::core_entry zombie = SampleCore(2);
    zombie.clear_thread_info();
    dump_.Write<pb::core_entry>(ImageType::kCore, 14, {zombie});
  }

  void WriteFiles() {
    pb::file_entry program;
    program.set_type(pb::REG);
    program.set_id(1);
    *program.mutable_reg() = SampleRegFile(1, "/usr/bin/app");
    pb::file_entry notes;
    notes.set_type(pb::MEMFD);
    notes.set_id(2);
    pb::memfd_file_entry& memfd = *notes.mutable_memfd();
    memfd.set_id(2);
    memfd.set_flags(2);
    memfd.set_pos(0);
    *memfd.mutable_fown() = program.reg().fown();
    memfd.set_inode_id(9);
    dump_.Write<pb::file_entry>(ImageType::kFiles, 0, {program, notes});
    pb::memfd_inode_entry inode;
    inode.set_name("notes");
    inode.set_uid(0);
    inode.set_gid(0);
    inode.set_size(kPageBytes);
    inode.set_shmid(6);
    inode.set_seals(0);
    inode.set_inode_id(9);
    dump_.Write<pb::memfd_inode_entry>(ImageType::kMemfdInode, 0, {inode});
  }

  void WriteMemory() {
    std::string stack = SamplePage("stack");
    stack.replace(kArguments % kPageBytes, kArgumentBytes.size(), kArgumentBytes);
    stack.replace(kArguments % kPageBytes + kArgumentBytes.size(), kEnvironmentBytes.size(),
                  kEnvironmentBytes);
    WritePages(parent_, ImageType::kPagemap, 12, 1, {MakePagemapEntry(0x5000, 3, kPagesPresent)},
               SamplePage("old") + SamplePage("old") + SamplePage("le in parent"));
    WritePages(
        dump_, ImageType::kPagemap, 12, 1,
        {MakePagemapEntry(0x5000, 2, kPagesPresent), MakePagemapEntry(0x7000, 1, kPagesInParent),
         MakePagemapEntry(0x9000, 1, kPagesLazy), MakePagemapEntry(0x7ff000, 1, kPagesPresent)},
        SamplePage("data", "nee") + SamplePage("dle", "need") + stack);
    WritePages(dump_, ImageType::kShmemPagemap, 5, 2, {MakePagemapEntry(0x1000, 1, kPagesPresent)},
               SamplePage("shared"));
    WritePages(dump_, ImageType::kShmemPagemap, 6, 3, {MakePagemapEntry(0, 1, kPagesPresent)},
               SamplePage("notes"));
  }

  SampleDump parent_;
  SampleDump dump_;
};

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_SAMPLE_PROCESS_H_
