#include "dumper/mappings.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/file.h"
#include "dumper/shared_memory.h"
#include "formats/vma_status.h"
#include "process/vm_flags.h"

namespace ckpt {

namespace {

// What a VmFlag means for mmap(2) and madvise(2). vma_entry.madv has bit N for advice N.
struct FlagMeaning {
  VmFlag flag;
  int map_flag;  // 0: none
  int advice;    // -1: none
};
constexpr std::array<FlagMeaning, 12> kFlagMeanings = {{
    {VmFlag::kGrowsDown, MAP_GROWSDOWN, -1},
    {VmFlag::kLocked, MAP_LOCKED, -1},
    {VmFlag::kNoReserve, MAP_NORESERVE, -1},
    {VmFlag::kDroppable, 8 /* MAP_DROPPABLE, 6.11 */, -1},
    {VmFlag::kSequentialRead, 0, MADV_SEQUENTIAL},
    {VmFlag::kRandomRead, 0, MADV_RANDOM},
    {VmFlag::kDontCopy, 0, MADV_DONTFORK},
    {VmFlag::kMergeable, 0, MADV_MERGEABLE},
    {VmFlag::kHugePage, 0, MADV_HUGEPAGE},
    {VmFlag::kNoHugePage, 0, MADV_NOHUGEPAGE},
    {VmFlag::kDontDump, 0, MADV_DONTDUMP},
    {VmFlag::kWipeOnFork, 0, MADV_WIPEONFORK},
}};

// VmFlags whose mappings could not be made again.
struct RefusedFlag {
  VmFlag flag;
  std::string_view what;
};
constexpr std::array<RefusedFlag, 9> kRefusedFlags = {{
    {VmFlag::kPfnMap, "device memory"},
    {VmFlag::kIo, "device registers"},
    {VmFlag::kMixedMap, "device memory"},
    {VmFlag::kHugeTlb, "huge pages of hugetlbfs"},
    {VmFlag::kUffdMissing, "memory watched by userfaultfd"},
    {VmFlag::kUffdWriteProtect, "memory watched by userfaultfd"},
    {VmFlag::kUffdMinor, "memory watched by userfaultfd"},
    {VmFlag::kShadowStack, "a shadow stack"},
    {VmFlag::kSealed, "sealed memory (mseal)"},
}};

// VVAR pages are the kernel's data for the vdso: device-like, and mapped anew by a restorer.
bool IsVvar(SpecialMapping special) {
  return special == SpecialMapping::kVvar || special == SpecialMapping::kVvarVclock;
}

std::optional<std::string> ReasonToRefuse(const Mapping& mapping, SpecialMapping special) {
  if (IsVvar(special) || special == SpecialMapping::kVsyscall) return std::nullopt;
  const VmFlags flags = mapping.usage ? mapping.usage->flags : VmFlags();
  for (const RefusedFlag& refused : kRefusedFlags) {
    if (flags.Has(refused.flag)) return std::string(refused.what);
  }
  if (special == SpecialMapping::kOther && !mapping.path.starts_with("[anon")) {
    return "a kind of mapping that is not supported";
  }
  switch (NamelessFileOf(mapping)) {
    case NamelessFile::kMemoryFile:
      return "a memory file (memfd), not supported yet";
    case NamelessFile::kSystemV:
      return "System V shared memory, not supported yet";
    case NamelessFile::kSharedAnonymous:
    case NamelessFile::kNone:
      break;
  }
  if (mapping.shared && mapping.inode == 0) return "shared memory of an unknown kind";
  return std::nullopt;
}

// Bits of vma_entry.status besides those of plain anonymous memory. CRIU marks no stack, and the
// vsyscall page, which is the kernel's and the same in every process, not as regular.
uint32_t SpecialStatus(SpecialMapping special) {
  switch (special) {
    case SpecialMapping::kHeap:
      return kVmaRegular | kVmaHeap;
    case SpecialMapping::kVdso:
      return kVmaRegular | kVmaVdso;
    case SpecialMapping::kVvar:
    case SpecialMapping::kVvarVclock:
      return kVmaRegular | kVmaVvar;
    case SpecialMapping::kVsyscall:
      return kVmaVsyscall;
    default:
      return kVmaRegular;
  }
}

pb::vma_entry BasicEntry(const Mapping& mapping) {
  pb::vma_entry entry;
  entry.set_start(mapping.start);
  entry.set_end(mapping.end);
  entry.set_pgoff(0);
  entry.set_shmid(0);
  entry.set_prot(static_cast<uint32_t>(mapping.protection()));
  uint32_t map_flags = mapping.shared ? MAP_SHARED : MAP_PRIVATE;
  uint64_t advice = 0;
  const VmFlags flags = mapping.usage ? mapping.usage->flags : VmFlags();
  for (const FlagMeaning& meaning : kFlagMeanings) {
    if (!flags.Has(meaning.flag)) continue;
    map_flags |= static_cast<uint32_t>(meaning.map_flag);
    if (meaning.advice >= 0) advice |= uint64_t{1} << meaning.advice;
  }
  entry.set_flags(map_flags);
  entry.set_fd(-1);
  if (advice != 0) entry.set_madv(advice);
  return entry;
}

bool MayWrite(const Mapping& mapping) {
  return mapping.usage && mapping.usage->flags.Has(VmFlag::kMayWrite);
}

// What the file was opened for that a mapping keeps. Of a shared one its flags say it, of others
// the permissions of the link in map_files, as they were when somebody first looked at a mapping
// there (map_files_d_revalidate in fs/proc/base.c lets them be). As long as a file is kept open for
// writing nobody can execute it.
Result<uint32_t> ReadOpenFlags(const Mapping& mapping, int map_files_fd, const std::string& name) {
  if (mapping.shared && mapping.usage) return MayWrite(mapping) ? O_RDWR : O_RDONLY;
  struct stat link {};
  if (fstatat(map_files_fd, name.c_str(), &link, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoError(errno, "fstatat(\"map_files/{}\")", name);
  }
  return (link.st_mode & S_IWUSR) != 0 ? O_RDWR : O_RDONLY;
}

// A scan costs a system call, and a process may have tens of thousands of mappings side by side.
bool IsOneScan(const PagesToDump& first, const PagesToDump& second) {
  return !first.whole && !second.whole && first.selection == second.selection &&
         first.range.end == second.range.start;
}

// Collects into `result` by one call for each mapping.
class Collector {
 public:
  Collector(int map_files_fd, FileTable& files, Refusals& refusals, size_t mapping_count)
      : map_files_fd_(map_files_fd), files_(files), refusals_(refusals) {
    result_.vmas.reserve(mapping_count);
  }

  Result<> Add(const Mapping& mapping, size_t index) {
    const SpecialMapping special = SpecialMappingOf(mapping);
    if (const auto reason = ReasonToRefuse(mapping, special)) {
      refusals_.Add("mapping {:#x}-{:#x} {}: {}", mapping.start, mapping.end, mapping.path,
                    *reason);
      return success();
    }
    if (NamelessFileOf(mapping) == NamelessFile::kSharedAnonymous) {
      return AddSharedAnonymous(mapping);
    }
    if (mapping.inode != 0 || mapping.path.starts_with('/')) return AddFile(mapping, index);
    AddAnonymous(mapping, special);
    return success();
  }

  CollectedMappings Take() { return std::move(result_); }

 private:
  Result<> AddFile(const Mapping& mapping, size_t index) {
    CKPT_TRY(ReadMappedFile(mapping));
    LinkedFile file = last_file_;
    if (const auto reason = ReasonToRefuseFile(file)) {
      refusals_.Add("mapping {:#x}-{:#x} of {}: {}", mapping.start, mapping.end, file.path,
                    *reason);
      return success();
    }
    pb::vma_entry entry = BasicEntry(mapping);
    const uint32_t id = files_.AddPath(file, last_flags_);
    if (IsDeleted(file)) {
      CKPT_TRY(files_.ghosts().Add(
          id, file,
          fmt::format("/proc/self/fd/{}/{:x}-{:x}", map_files_fd_, mapping.start, mapping.end)));
    }
    entry.set_pgoff(mapping.file_offset);
    entry.set_shmid(id);
    entry.set_status(kVmaRegular | (mapping.shared ? kVmaFileShared : kVmaFilePrivate));
    entry.set_fdflags(last_flags_);
    result_.vmas.push_back(std::move(entry));
    result_.files.push_back({.mapping_index = index, .file_id = id, .file = std::move(file)});
    return success();
  }

  std::optional<std::string> ReasonToRefuseFile(const LinkedFile& file) const {
    if (!file.path.starts_with('/') || !S_ISREG(file.mode)) {
      return "only regular files can be mapped yet";
    }
    return IsDeleted(file) ? files_.ghosts().ReasonToRefuse(file) : std::nullopt;
  }

  // Asked once for neighbours of one inode and maps path, such as the segments of a library: they
  // were mapped from one open file.
  Result<> ReadMappedFile(const Mapping& mapping) {
    const auto identity = std::tuple(mapping.dev_major, mapping.dev_minor, mapping.inode,
                                     mapping.path, mapping.shared, MayWrite(mapping));
    if (last_end_ != mapping.start || last_identity_ != identity) {
      const std::string name = fmt::format("{:x}-{:x}", mapping.start, mapping.end);
      CKPT_TRY(last_file_, ReadLinkedFile(map_files_fd_, name));
      CKPT_TRY(last_flags_, ReadOpenFlags(mapping, map_files_fd_, name));
      last_identity_ = identity;
    }
    last_end_ = mapping.end;
    return success();
  }

  // A private mapping of /dev/zero would be anonymous, but has no such file.
  Result<> AddSharedAnonymous(const Mapping& mapping) {
    pb::vma_entry entry = BasicEntry(mapping);
    entry.set_flags(entry.flags() | MAP_ANONYMOUS);
    entry.set_pgoff(mapping.file_offset);
    entry.set_shmid(mapping.inode);
    entry.set_status(kVmaRegular | kVmaAnonShared);
    result_.vmas.push_back(std::move(entry));
    return success();
  }

  void AddAnonymous(const Mapping& mapping, SpecialMapping special) {
    // The pieces of vvar are one entry: see ../docs/ckpt-dump.md.
    if (IsVvar(special) && !result_.vmas.empty() && result_.vmas.back().end() == mapping.start &&
        (result_.vmas.back().status() & kVmaVvar) != 0) {
      result_.vmas.back().set_end(mapping.end);
      return;
    }
    pb::vma_entry entry = BasicEntry(mapping);
    entry.set_flags(entry.flags() | MAP_ANONYMOUS);
    entry.set_status(kVmaAnonPrivate | SpecialStatus(special));
    result_.vmas.push_back(std::move(entry));
  }

  int map_files_fd_;
  FileTable& files_;
  Refusals& refusals_;
  CollectedMappings result_;
  LinkedFile last_file_;
  uint32_t last_flags_ = 0;
  std::tuple<uint32_t, uint32_t, uint64_t, std::string, bool, bool>
      last_identity_;  // whose they are
  uint64_t last_end_ = 0;
};

}  // namespace

Result<CollectedMappings> CollectMappings(pid_t pid, const std::vector<Mapping>& mappings,
                                          FileTable& files, Refusals& refusals) {
  CKPT_TRY(const UniqueFd map_files,
           OpenFile(fmt::format("/proc/{}/map_files", pid), O_PATH | O_DIRECTORY));
  Collector collector(map_files.get(), files, refusals, mappings.size());
  for (size_t i = 0; i < mappings.size(); ++i) CKPT_TRY(collector.Add(mappings[i], i));
  return collector.Take();
}

Result<> AddUsage(const std::vector<Mapping>& smaps, std::vector<Mapping>& mappings) {
  auto found = smaps.begin();  // both are by address
  for (Mapping& mapping : mappings) {
    while (found != smaps.end() && found->start < mapping.start) ++found;
    if (found == smaps.end() || found->start != mapping.start || found->end != mapping.end) {
      return MakeError(ErrorCode::kInternal, "mapping {:#x}-{:#x} is not in smaps", mapping.start,
                       mapping.end);
    }
    mapping.usage = found->usage;
  }
  return success();
}

std::vector<PagesToDump> FindPagesToDump(const std::vector<Mapping>& mappings) {
  std::vector<PagesToDump> sources;
  for (const Mapping& mapping : mappings) {
    const SpecialMapping special = SpecialMappingOf(mapping);
    if (mapping.shared || IsVvar(special) || special == SpecialMapping::kVsyscall) continue;
    const bool is_vdso = special == SpecialMapping::kVdso;
    if (!is_vdso && mapping.usage && mapping.usage->HasNoPrivatePages()) continue;
    // What is swapped out may be a file's in memory (shmem_swap_usage in fs/proc/task_mmu.c).
    const bool is_all_private =
        mapping.usage && mapping.usage->anonymous_bytes == mapping.size_bytes();
    // Without a file every page there is is private, which is quicker to find out.
    const PagesToDump source = {
        .range = {mapping.start, mapping.end},
        .whole = is_vdso || is_all_private,
        .selection = mapping.inode == 0 ? PageSelection::kPopulated : PageSelection::kPrivate};
    if (!sources.empty() && IsOneScan(sources.back(), source)) {
      sources.back().range.end = source.range.end;
    } else {
      sources.push_back(source);
    }
  }
  return sources;
}

bool IsLeftByFork(const Mapping& mapping) {
  const SpecialMapping special = SpecialMappingOf(mapping);
  const bool has_pages = mapping.usage && !mapping.usage->HasNoPrivatePages();
  if (mapping.shared || IsVvar(special) || !has_pages) return false;
  const VmFlags& flags = mapping.usage->flags;
  return flags.Has(VmFlag::kDontCopy) || flags.Has(VmFlag::kWipeOnFork);
}

std::vector<RemoteRange> FindRangesWithHoles(const std::vector<Mapping>& mappings) {
  std::vector<RemoteRange> ranges;
  for (const Mapping& mapping : mappings) {
    const SpecialMapping special = SpecialMappingOf(mapping);
    if (IsVvar(special) || special == SpecialMapping::kVsyscall) continue;
    const uint64_t present_bytes =
        mapping.usage ? mapping.usage->rss_bytes + mapping.usage->swap_bytes : 0;
    if (present_bytes >= mapping.size_bytes()) continue;
    if (!ranges.empty() && ranges.back().end == mapping.start) {
      ranges.back().end = mapping.end;
    } else {
      ranges.push_back({mapping.start, mapping.end});
    }
  }
  return ranges;
}

}  // namespace ckpt
