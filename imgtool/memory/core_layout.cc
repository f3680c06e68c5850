#include "imgtool/memory/core_layout.h"

#include <elf.h>
#include <sys/mman.h>

#include <cstring>
#include <limits>

namespace ckpt {
namespace {

uint32_t SegmentFlags(const pb::vma_entry& vma) {
  uint32_t flags = 0;
  if ((vma.prot() & PROT_READ) != 0) flags |= PF_R;
  if ((vma.prot() & PROT_WRITE) != 0) flags |= PF_W;
  if ((vma.prot() & PROT_EXEC) != 0) flags |= PF_X;
  return flags;
}

class Planner {
 public:
  Result<> Add(const MemoryPiece& piece) {
    if (piece.vma != vma_) EndMapping();
    vma_ = piece.vma;
    if (vma_ == nullptr) return success();
    has_stored_ = has_stored_ || piece.origin == PageOrigin::kStored;
    const bool has_bytes = piece.origin == PageOrigin::kStored || piece.origin == PageOrigin::kZero;
    if (segments_.size() > first_ && segments_.back().has_bytes == has_bytes) {
      segments_.back().range.end = piece.range.end;
    } else {
      segments_.push_back({piece.range, SegmentFlags(*vma_), has_bytes});
    }
    if (segments_.size() <= kMaxCoreSegments) return success();
    return MakeError(ErrorCode::kUnsupported, "memory of more than {} pieces in a core",
                     kMaxCoreSegments);
  }

  std::vector<CoreSegment> Finish() {
    EndMapping();
    return std::move(segments_);
  }

 private:
  // Of a mapping that was never touched there are only zeros, one segment.
  void EndMapping() {
    if (!has_stored_ && segments_.size() == first_ + 1) segments_.back().has_bytes = false;
    first_ = segments_.size();
    has_stored_ = false;
  }

  std::vector<CoreSegment> segments_;
  size_t first_ = 0;  // of the mapping
  const pb::vma_entry* vma_ = nullptr;
  bool has_stored_ = false;
};

template <typename T>
void Append(std::string& bytes, const T& value) {
  const size_t at = bytes.size();
  bytes.resize(at + sizeof(value));
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

// More program headers than e_phnum holds are counted by the first section (elf(5), PN_XNUM).
bool CountsInSection(size_t header_count) { return header_count >= PN_XNUM; }

Elf64_Ehdr FileHeader(size_t header_count) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(header_count);
  if (!CountsInSection(header_count)) return header;
  header.e_phnum = PN_XNUM;
  header.e_shoff = sizeof(Elf64_Ehdr) + header_count * sizeof(Elf64_Phdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 1;
  return header;
}

Elf64_Phdr LoadHeader(const CoreSegment& segment) {
  return {.p_type = PT_LOAD,
          .p_flags = segment.flags,
          .p_offset = segment.file_offset,
          .p_vaddr = segment.range.start,
          .p_paddr = 0,
          .p_filesz = segment.file_bytes(),
          .p_memsz = segment.range.size_bytes(),
          .p_align = kPageBytes};
}

uint64_t WholePages(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

// Returns where the last segment ends.
Result<uint64_t> PlaceSegments(uint64_t offset, std::vector<CoreSegment>& segments) {
  for (CoreSegment& segment : segments) {
    constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (segment.file_bytes() > kMax - offset) {
      return MakeError(ErrorCode::kUnsupported, "a core of more than {} bytes, which no file has",
                       kMax);
    }
    segment.file_offset = offset;
    offset += segment.file_bytes();
  }
  return offset;
}

}  // namespace

Result<std::vector<CoreSegment>> PlanCoreSegments(const ProcessMemory& memory) {
  Planner planner;
  const auto add = [&](const MemoryPiece& piece) -> Result<bool> {
    CKPT_TRY(planner.Add(piece));
    return true;
  };
  CKPT_TRY(memory.ForEachPiece(kAllAddresses, add));
  return planner.Finish();
}

Result<CoreFrame> PlaceCore(const std::string& notes, std::vector<CoreSegment>& segments) {
  const size_t header_count = segments.size() + 1;
  const uint64_t notes_offset = sizeof(Elf64_Ehdr) + header_count * sizeof(Elf64_Phdr) +
                                (CountsInSection(header_count) ? sizeof(Elf64_Shdr) : 0);
  CoreFrame frame;
  CKPT_TRY(frame.file_bytes, PlaceSegments(WholePages(notes_offset + notes.size()), segments));
  Append(frame.head, FileHeader(header_count));
  Append(frame.head, Elf64_Phdr{.p_type = PT_NOTE,
                                .p_flags = 0,
                                .p_offset = notes_offset,
                                .p_vaddr = 0,
                                .p_paddr = 0,
                                .p_filesz = notes.size(),
                                .p_memsz = 0,
                                .p_align = 4});
  for (const CoreSegment& segment : segments) Append(frame.head, LoadHeader(segment));
  if (CountsInSection(header_count)) {
    Elf64_Shdr section{};
    section.sh_info = static_cast<Elf64_Word>(header_count);
    Append(frame.head, section);
  }
  frame.head += notes;
  return frame;
}

}  // namespace ckpt
