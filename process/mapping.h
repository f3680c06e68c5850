// A mapping of a process: a range of addresses with one protection and one backing.
#ifndef PROCESS_MAPPING_H_
#define PROCESS_MAPPING_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "process/remote_ptr.h"
#include "process/vm_flags.h"

namespace ckpt {

// What smaps alone tells of a mapping. Sizes are those of pages in the page table, in bytes.
struct MappingUsage {
  uint64_t rss_bytes = 0;
  uint64_t anonymous_bytes = 0;  // of rss; pages of no file: all of an anonymous one, COWed others
  uint64_t swap_bytes = 0;
  uint32_t protection_key = 0;
  VmFlags flags{};

  // No private page, in memory or swapped out, so none to dump from a private mapping.
  bool HasNoPrivatePages() const { return anonymous_bytes == 0 && swap_bytes == 0; }
  bool operator==(const MappingUsage&) const = default;
};

struct Mapping {
  uint64_t start = 0;
  uint64_t end = 0;  // first address after it
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;  // MAP_SHARED; otherwise MAP_PRIVATE
  uint64_t file_offset = 0;
  uint32_t dev_major = 0;
  uint32_t dev_minor = 0;
  uint64_t inode = 0;
  // As shown: "" for plain anonymous memory, "/lib/x.so", "/tmp/y (deleted)", "[heap]", "/memfd:z
  // (deleted)". A newline is unescaped (see UnescapeNewlines for the one ambiguity of the text).
  std::string path;
  std::optional<MappingUsage> usage;  // only from smaps

  uint64_t size_bytes() const { return end - start; }
  // PROT_READ | PROT_WRITE | PROT_EXEC, as mmap(2) takes them.
  int protection() const;
  bool operator==(const Mapping&) const = default;
};

// Mappings that the kernel names itself instead of a file. kOther: any other name in brackets.
enum class SpecialMapping { kNone, kHeap, kStack, kVdso, kVvar, kVvarVclock, kVsyscall, kOther };
SpecialMapping SpecialMappingOf(const Mapping& mapping);

// Where code is that can be read: the vdso first, which is sure to hold a `syscall` instruction.
std::vector<RemoteRange> FindExecutableRanges(std::span<const Mapping> mappings);

}  // namespace ckpt

#endif  // PROCESS_MAPPING_H_
