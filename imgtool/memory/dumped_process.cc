#include "imgtool/memory/dumped_process.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "formats/pagemap.h"
#include "formats/vma_status.h"

namespace ckpt {
namespace {

// task_core_entry.task_state of what has ended and waits to be reaped.
constexpr uint32_t kTaskDead = 2;
constexpr uint32_t kTaskZombie = 6;

bool IsZombie(const pb::core_entry& core) {
  return core.tc().task_state() == kTaskDead || core.tc().task_state() == kTaskZombie;
}

// What the dump has instead, for the message.
std::string PidsOf(const std::vector<pb::pstree_entry>& tree) {
  constexpr size_t kShown = 10;
  std::string pids;
  for (size_t i = 0; i < std::min(tree.size(), kShown); ++i) {
    pids += fmt::format("{}{}", i == 0 ? "" : ", ", tree[i].pid());
  }
  return tree.size() > kShown ? pids + ", ..." : pids;
}

Error NoSuchProcess(const DumpDirectory& dump, const std::vector<pb::pstree_entry>& tree,
                    uint32_t pid) {
  const std::string name = dump.PathOf(ImageType::kPstree);
  for (const pb::pstree_entry& entry : tree) {
    if (std::ranges::count(entry.threads(), pid) == 0) continue;
    return MakeError(ErrorCode::kNotFound, "{}: {} is a thread of process {}", name, pid,
                     entry.pid());
  }
  return MakeError(ErrorCode::kNotFound, "{}: no process {}, there are {}: {}", name, pid,
                   tree.size(), PidsOf(tree));
}

Result<pb::pstree_entry> FindInTree(const DumpDirectory& dump, uint32_t pid) {
  CKPT_TRY(const ImageFile image, dump.Read(ImageType::kPstree));
  CKPT_TRY(const auto tree, ParseEntries<pb::pstree_entry>(image));
  const auto found = std::ranges::find(tree, pid, &pb::pstree_entry::pid);
  if (found == tree.end()) return NoSuchProcess(dump, tree, pid);
  return *found;
}

Result<> CheckMappings(const std::string& name, const pb::mm_entry& mm) {
  uint64_t previous_end = 0;
  for (int i = 0; i < mm.vmas_size(); ++i) {
    const pb::vma_entry& vma = mm.vmas(i);
    const bool is_whole = vma.start() % kPageBytes == 0 && vma.end() % kPageBytes == 0;
    if (!is_whole || vma.start() >= vma.end()) {
      return MakeError(ErrorCode::kBadFormat,
                       "{}: mapping {} from {:#x} to {:#x}: not a range of whole pages", name, i,
                       vma.start(), vma.end());
    }
    if (vma.start() < previous_end) {
      return MakeError(ErrorCode::kBadFormat,
                       "{}: mapping {} from {:#x} to {:#x} begins before {:#x}, the end of the one "
                       "before",
                       name, i, vma.start(), vma.end(), previous_end);
    }
    previous_end = vma.end();
  }
  return success();
}

// Not every dumper marks heap and stack. As the kernel tells them (fs/proc/task_mmu.c): anonymous,
// and they hold a part of the heap, or where the stack began.
void MarkHeapAndStack(pb::mm_entry& mm) {
  for (pb::vma_entry& vma : *mm.mutable_vmas()) {
    if ((vma.status() & kVmaAnonPrivate) == 0) continue;
    if (vma.start() < mm.mm_brk() && vma.end() > mm.mm_start_brk()) {
      vma.set_status(vma.status() | kVmaHeap);
    } else if (vma.start() <= mm.mm_start_stack() && vma.end() > mm.mm_start_stack()) {
      vma.set_status(vma.status() | kVmaStack);
    }
  }
}

Result<pb::mm_entry> ReadMm(const DumpDirectory& dump, uint32_t pid) {
  CKPT_TRY(auto mm, dump.ReadSingle<pb::mm_entry>(ImageType::kMm, pid));
  CKPT_TRY(const auto vmas, dump.ReadAllIfPresent<pb::vma_entry>(ImageType::kVmas, pid));
  if (mm.vmas().empty()) mm.mutable_vmas()->Assign(vmas.begin(), vmas.end());
  CKPT_TRY(CheckMappings(dump.PathOf(ImageType::kMm, pid), mm));
  MarkHeapAndStack(mm);
  return mm;
}

}  // namespace

Result<uint32_t> ParsePid(std::string_view text) {
  uint32_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && pid > 0 && pid <= std::numeric_limits<int32_t>::max()) return pid;
  return MakeError(ErrorCode::kUsage, "'{}' is no pid: expected a number from 1 to {}", text,
                   std::numeric_limits<int32_t>::max());
}

Result<DumpedProcess> ReadDumpedProcess(const DumpDirectory& dump, uint32_t pid) {
  DumpedProcess process;
  CKPT_TRY(process.tree, FindInTree(dump, pid));
  CKPT_TRY(process.core, dump.ReadSingle<pb::core_entry>(ImageType::kCore, pid));
  if (IsZombie(process.core)) {
    return MakeError(ErrorCode::kNotFound, "{}: process {} is a zombie: it has no memory",
                     dump.PathOf(ImageType::kCore, pid), pid);
  }
  CKPT_TRY(process.mm, ReadMm(dump, pid));
  return process;
}

Result<std::vector<DumpedThread>> ReadThreads(const DumpDirectory& dump,
                                              const DumpedProcess& process) {
  std::vector<DumpedThread> threads;
  threads.push_back({process.tree.pid(), process.core});
  for (const uint32_t tid : process.tree.threads()) {
    if (tid == process.tree.pid()) continue;
    DumpedThread& thread = threads.emplace_back();
    thread.tid = tid;
    CKPT_TRY(thread.core, dump.ReadSingle<pb::core_entry>(ImageType::kCore, tid));
  }
  return threads;
}

}  // namespace ckpt
