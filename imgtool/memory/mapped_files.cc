#include "imgtool/memory/mapped_files.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <string_view>
#include <vector>

#include "formats/proto/files.pb.h"
#include "formats/vma_status.h"

namespace ckpt {
namespace {

std::set<uint64_t> FileIdsOf(const pb::mm_entry& mm) {
  std::set<uint64_t> ids;
  for (const pb::vma_entry& vma : mm.vmas()) {
    if (MapsFile(vma)) ids.insert(vma.shmid());
  }
  return ids;
}

using MemoryFilesByInode = std::map<uint64_t, MappedFile>;

Result<MemoryFilesByInode> ReadMemoryFiles(const DumpDirectory& dump) {
  CKPT_TRY(const auto inodes, dump.ReadAllIfPresent<pb::memfd_inode_entry>(ImageType::kMemfdInode));
  MemoryFilesByInode files;
  for (const pb::memfd_inode_entry& inode : inodes) {
    // What has a path was no memfd but memory of the kernel's own tmpfs: "/dev/zero", "/SYSV...".
    const std::string prefix = inode.name().starts_with('/') ? "" : "/memfd:";
    files[inode.inode_id()] = {prefix + inode.name(), inode.shmid()};
  }
  return files;
}

struct KindName {
  uint32_t status;
  std::string_view name;
};
constexpr std::array kKindNames = {
    KindName{kVmaHeap, "[heap]"},         KindName{kVmaStack, "[stack]"},
    KindName{kVmaVdso, "[vdso]"},         KindName{kVmaVvar, "[vvar]"},
    KindName{kVmaVsyscall, "[vsyscall]"}, KindName{kVmaAioRing, "/[aio]"},
    KindName{kVmaSocket, "socket:"},      KindName{kVmaUprobes, "[uprobes]"},
    KindName{kVmaGuard, "[guard]"},       KindName{kVmaShadowStack, "[shadow stack]"},
};

}  // namespace

bool MapsFile(const pb::vma_entry& vma) {
  return (vma.status() & (kVmaFilePrivate | kVmaFileShared | kVmaMemfd)) != 0;
}

Result<MappedFiles> MappedFiles::Read(const DumpDirectory& dump, const pb::mm_entry& mm) {
  const std::set<uint64_t> wanted = FileIdsOf(mm);
  CKPT_TRY(const MemoryFilesByInode memory_files, ReadMemoryFiles(dump));
  MappedFiles mapped;
  CKPT_TRY(const auto regular, dump.ReadAllIfPresent<pb::reg_file_entry>(ImageType::kRegFiles));
  for (const pb::reg_file_entry& file : regular) {
    if (wanted.contains(file.id())) mapped.files_[file.id()] = {file.name(), std::nullopt};
  }
  CKPT_TRY(const auto files, dump.ReadAllIfPresent<pb::file_entry>(ImageType::kFiles));
  for (const pb::file_entry& file : files) {
    if (!wanted.contains(file.id())) continue;
    const auto memory = memory_files.find(file.memfd().inode_id());
    if (file.has_memfd() && memory != memory_files.end()) {
      mapped.files_[file.id()] = memory->second;
    } else if (file.has_reg()) {
      mapped.files_[file.id()] = {file.reg().name(), std::nullopt};
    }
  }
  return mapped;
}

const MappedFile* MappedFiles::Find(uint64_t id) const {
  const auto found = files_.find(id);
  return found == files_.end() ? nullptr : &found->second;
}

std::string NameOfMapping(const pb::vma_entry& vma, const MappedFiles& files) {
  if (MapsFile(vma)) {
    const MappedFile* file = files.Find(vma.shmid());
    return file != nullptr ? file->name : fmt::format("[file {}]", vma.shmid());
  }
  for (const KindName& kind : kKindNames) {
    if ((vma.status() & kind.status) != 0) return std::string(kind.name);
  }
  if ((vma.status() & kVmaSysvIpc) != 0) return fmt::format("[System V {}]", vma.shmid());
  if ((vma.status() & kVmaAnonShared) != 0) return fmt::format("[shared memory {}]", vma.shmid());
  return "";
}

}  // namespace ckpt
