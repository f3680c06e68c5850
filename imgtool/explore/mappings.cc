#include "imgtool/explore/mappings.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <string_view>

#include "formats/vma_status.h"

namespace ckpt {
namespace {

struct KindRow {
  uint32_t status;
  std::string_view kind;
  std::string_view name;  // in /proc/PID/maps; of files and shared memory it is another for each
};

// The first that fits: what is more special comes first.
constexpr KindRow kKinds[] = {
    {kVmaUnsupported, "unsupported", ""},
    {kVmaGuard, "guard", ""},
    {kVmaVsyscall, "vsyscall", "[vsyscall]"},
    {kVmaVdso, "vdso", "[vdso]"},
    {kVmaVvar, "vvar", "[vvar]"},
    {kVmaUprobes, "uprobes", "[uprobes]"},
    {kVmaAioRing, "aio ring", "/[aio] (deleted)"},
    {kVmaSysvIpc, "sysv", ""},
    {kVmaSocket, "socket", "socket:"},
    {kVmaMemfd, "memfd", ""},
    {kVmaHeap, "heap", "[heap]"},
    {kVmaStack, "stack", "[stack]"},
    {kVmaShadowStack, "shadow stack", ""},
    {kVmaFileShared, "file shared", ""},
    {kVmaFilePrivate, "file", ""},
    {kVmaAnonShared, "anon shared", ""},
    {kVmaAnonPrivate, "anon", ""},
};

const KindRow* FindKind(const pb::vma_entry& vma) {
  const auto found = std::ranges::find_if(
      kKinds, [&](const KindRow& row) { return (vma.status() & row.status) != 0; });
  return found == std::end(kKinds) ? nullptr : &*found;
}

// CRIU does not say which mapping is the stack; the kernel, too, finds it by that address.
void MarkStack(uint64_t start_stack, pb::vma_entry& vma) {
  const bool is_plain = (vma.status() & kVmaAnonPrivate) != 0;
  if (!is_plain || start_stack < vma.start() || start_stack >= vma.end()) return;
  vma.set_status(vma.status() | kVmaStack);
}

}  // namespace

std::optional<std::vector<pb::vma_entry>> ReadMappings(DumpReader& reader, uint32_t pid) {
  std::vector<pb::vma_entry> vmas;
  if (auto mm = reader.Single<pb::mm_entry>(ImageType::kMm, pid)) {
    vmas.assign(mm->vmas().begin(), mm->vmas().end());
    for (pb::vma_entry& vma : vmas) MarkStack(mm->mm_start_stack(), vma);
  } else if (!reader.Has(ImageType::kVmas, pid)) {
    return std::nullopt;
  }
  // Old dumps have them in an image of their own.
  for (auto& vma : reader.Entries<pb::vma_entry>(ImageType::kVmas, pid)) vmas.push_back(vma);
  std::ranges::stable_sort(vmas, {}, [](const pb::vma_entry& vma) { return vma.start(); });
  return vmas;
}

std::string PermissionsText(const pb::vma_entry& vma) {
  std::string text = "---p";
  if ((vma.prot() & PROT_READ) != 0) text[0] = 'r';
  if ((vma.prot() & PROT_WRITE) != 0) text[1] = 'w';
  if ((vma.prot() & PROT_EXEC) != 0) text[2] = 'x';
  if ((vma.flags() & MAP_SHARED) != 0) text[3] = 's';
  return text;
}

bool IsFileMapping(const pb::vma_entry& vma) {
  return (vma.status() & (kVmaFilePrivate | kVmaFileShared)) != 0;
}

std::string MappingKind(const pb::vma_entry& vma) {
  const KindRow* row = FindKind(vma);
  return row != nullptr ? std::string(row->kind) : fmt::format("status {:#x}", vma.status());
}

std::string MappingName(const pb::vma_entry& vma, const FileContext& files) {
  if (IsFileMapping(vma) || (vma.status() & kVmaMemfd) != 0) {
    return files.PathOf(static_cast<uint32_t>(vma.shmid()));
  }
  if ((vma.status() & kVmaSysvIpc) != 0) return fmt::format("SysV segment {}", vma.shmid());
  if ((vma.status() & kVmaAnonShared) != 0) return fmt::format("shmem {}", vma.shmid());
  const KindRow* row = FindKind(vma);
  return row != nullptr ? std::string(row->name) : "";
}

}  // namespace ckpt
