#include "imgtool/memory/process_memory.h"

#include <algorithm>
#include <array>
#include <limits>

#include "formats/vma_status.h"
#include "imgtool/octal_text.h"

namespace ckpt {
namespace {

constexpr std::array<std::string_view, 6> kOriginNames = {"stored", "zero",   "lazy",
                                                          "file",   "absent", "unmapped"};

// A terabyte of which every other page is somewhere else. Many mappings of one shared memory, each
// with all of its ranges, could keep a walk going for ever.
constexpr uint64_t kMaxWalkSteps = uint64_t{1} << 28;

// The first range that does not lie wholly before `address`.
auto FirstFrom(const std::vector<StoredRange>& ranges, uint64_t address) {
  return std::ranges::partition_point(
      ranges, [&](const StoredRange& range) { return range.end() <= address; });
}

// The origin of what is in no pagemap, in a mapping that is not of shared memory.
PageOrigin OriginBesidePages(const pb::vma_entry* vma) {
  constexpr uint32_t kKernels = kVmaVdso | kVmaVvar | kVmaVsyscall | kVmaAioRing | kVmaSocket |
                                kVmaUprobes | kVmaGuard | kVmaShadowStack | kVmaUnsupported;
  if (vma == nullptr) return PageOrigin::kUnmapped;
  if ((vma->status() & kKernels) != 0) return PageOrigin::kAbsent;
  if ((vma->status() & (kVmaFilePrivate | kVmaFileShared)) != 0) return PageOrigin::kFile;
  return (vma->status() & kVmaAnonPrivate) != 0 ? PageOrigin::kZero : PageOrigin::kAbsent;
}

}  // namespace

std::string_view Name(PageOrigin origin) { return kOriginNames.at(static_cast<size_t>(origin)); }

// One pass over a range.
class ProcessMemory::Walk {
 public:
  Walk(const ProcessMemory& memory, AddressRange range, const Visitor& visit)
      : memory_(memory), range_(range), visit_(visit) {}

  Result<> Run() {
    uint64_t at = range_.start;
    for (const pb::vma_entry& vma : memory_.process_.mm.vmas()) {
      if (vma.end() <= at) continue;
      if (vma.start() >= range_.end || stopped_) break;
      CKPT_TRY(Region({at, std::max(at, vma.start())}, nullptr));
      at = std::max(at, vma.start());
      CKPT_TRY(OpenShared(vma));
      CKPT_TRY(Region({at, std::min(range_.end, vma.end())}, &vma));
      at = std::min(range_.end, vma.end());
    }
    return Region({at, range_.end}, nullptr);
  }

 private:
  // A part of one mapping, or of what lies between two.
  Result<> Region(AddressRange region, const pb::vma_entry* vma) {
    return Cut(region, vma, memory_.pages_, 0, [&](AddressRange hole) {
      if (vma == nullptr || !shared_) return Give({hole, OriginBesidePages(vma), vma});
      return SharedRegion(hole, *vma);
    });
  }

  // What lies below the private pages of a mapping of shared memory.
  Result<> SharedRegion(AddressRange region, const pb::vma_entry& vma) {
    return Cut(region, &vma, *shared_, vma.pgoff() - vma.start(), [&](AddressRange hole) {
      return Give({hole, PageOrigin::kZero, &vma});
    });
  }

  // Gives the parts of `region` that are in `pages`, where they have the address plus `shift`, and
  // hands what is between them to `in_hole`.
  template <typename InHole>
  Result<> Cut(AddressRange region, const pb::vma_entry* vma, const PageRanges& pages,
               uint64_t shift, const InHole& in_hole) {
    const std::vector<StoredRange>& ranges = pages.ranges();
    const uint64_t end = region.end + shift;
    uint64_t at = region.start + shift;
    for (auto range = FirstFrom(ranges, at);
         !stopped_ && at < end && range != ranges.end() && range->start < end; ++range) {
      if (range->start > at) CKPT_TRY(in_hole({at - shift, range->start - shift}));
      at = std::max(at, range->start);
      const uint64_t part_end = std::min(end, range->end());
      CKPT_TRY(GiveStored({at - shift, part_end - shift}, vma, pages, at, *range));
      at = part_end;
    }
    if (!stopped_ && at < end) return in_hole({at - shift, end - shift});
    return success();
  }

  Result<> GiveStored(AddressRange range, const pb::vma_entry* vma, const PageRanges& pages,
                      uint64_t pages_start, const StoredRange& stored) {
    if (stored.is_lazy) return Give({range, PageOrigin::kLazy, vma});
    return Give({range, PageOrigin::kStored, vma, &pages, pages_start, stored.layer,
                 stored.file_offset + (pages_start - stored.start)});
  }

  Result<> Give(const MemoryPiece& piece) {
    if (stopped_) return success();
    CKPT_TRY(Count(1));
    CKPT_TRY(const bool go_on, visit_(piece));
    stopped_ = !go_on;
    return success();
  }

  // Only the pages of one mapping are open at a time: there can be more than descriptors.
  Result<> OpenShared(const pb::vma_entry& vma) {
    const std::optional<uint64_t> id = memory_.SharedMemoryId(vma);
    if (id && shared_ && id == shared_id_) return CheckOffset(vma);
    shared_.reset();
    if (!id || !memory_.chain_->front().Has(ImageType::kShmemPagemap, *id)) return success();
    CKPT_TRY(CheckOffset(vma));
    CKPT_TRY(PageRanges pages, PageRanges::Open(*memory_.chain_, ImageType::kShmemPagemap, *id));
    CKPT_TRY(Count(pages.ranges().size()));
    shared_ = std::move(pages);
    shared_id_ = id;
    return success();
  }

  Result<> Count(uint64_t more) {
    steps_ += more;
    if (steps_ <= kMaxWalkSteps) return success();
    return MakeError(ErrorCode::kUnsupported, "process {}: memory of more than {} pieces",
                     memory_.pid(), kMaxWalkSteps);
  }

  Result<> CheckOffset(const pb::vma_entry& vma) const {
    const uint64_t room = std::numeric_limits<uint64_t>::max() - (vma.end() - vma.start());
    if (vma.pgoff() % kPageBytes == 0 && vma.pgoff() <= room) return success();
    return MakeError(ErrorCode::kBadFormat,
                     "mm-{}.img: mapping {:#x}-{:#x}: offset {} is no multiple of {} that a memory "
                     "can have",
                     memory_.pid(), vma.start(), vma.end(), vma.pgoff(), kPageBytes);
  }

  const ProcessMemory& memory_;
  AddressRange range_;
  const Visitor& visit_;
  bool stopped_ = false;
  uint64_t steps_ = 0;
  std::optional<uint64_t> shared_id_;
  std::optional<PageRanges> shared_;
};

Result<ProcessMemory> ProcessMemory::Open(const std::vector<DumpDirectory>& chain,
                                          DumpedProcess process) {
  CKPT_CHECK(!chain.empty());
  CKPT_TRY(MappedFiles files, MappedFiles::Read(chain.front(), process.mm));
  CKPT_TRY(PageRanges pages, PageRanges::Open(chain, ImageType::kPagemap, process.tree.pid()));
  return ProcessMemory(chain, std::move(process), std::move(files), std::move(pages));
}

std::optional<uint64_t> ProcessMemory::SharedMemoryId(const pb::vma_entry& vma) const {
  if ((vma.status() & kVmaMemfd) != 0) {
    const MappedFile* file = files_.Find(vma.shmid());
    return file == nullptr ? std::nullopt : file->shared_memory_id;
  }
  if ((vma.status() & (kVmaAnonShared | kVmaSysvIpc)) != 0) return vma.shmid();
  return std::nullopt;
}

Result<> ProcessMemory::ForEachPiece(AddressRange range, const Visitor& visit) const {
  return range.start < range.end ? Walk(*this, range, visit).Run() : success();
}

Result<> ProcessMemory::ForEachBytes(AddressRange range, const ByteVisitor& visit) const {
  std::vector<std::byte> buffer;
  const auto give_stored = [&](MemoryPiece piece) -> Result<bool> {
    const AddressRange all = piece.range;
    for (uint64_t at = all.start; at < all.end;) {
      // Pages are read whole, and what is not wanted of the first and the last is cut off.
      const uint64_t skipped = at % kPageBytes;
      const uint64_t taken = std::min<uint64_t>(kChunkBytes - skipped, all.end - at);
      const size_t read = (skipped + taken + kPageBytes - 1) / kPageBytes * kPageBytes;
      buffer.resize(std::max(buffer.size(), read));
      CKPT_TRY(piece.pages->Read(piece.pages_start + (at - all.start) - skipped,
                                 std::span(buffer).first(read)));
      MemoryPiece part = piece;
      part.range = {at, at + taken};
      part.pages_start += at - all.start;
      part.file_offset += at - all.start;
      CKPT_TRY(const bool go_on, visit(part, Bytes(buffer).subspan(skipped, taken)));
      if (!go_on) return false;
      at += taken;
    }
    return true;
  };
  return ForEachPiece(range, [&](const MemoryPiece& piece) -> Result<bool> {
    return piece.origin == PageOrigin::kStored ? give_stored(piece) : visit(piece, {});
  });
}

Result<std::string> ProcessMemory::Read(AddressRange range, size_t limit_bytes) const {
  if (range.start > range.end || range.size_bytes() > limit_bytes) {
    return MakeError(ErrorCode::kUnsupported,
                     "mm-{}.img: {:#x}-{:#x} is no range of at most {} bytes", pid(), range.start,
                     range.end, limit_bytes);
  }
  std::string bytes;
  const auto append = [&](const MemoryPiece& piece, Bytes stored) -> Result<bool> {
    if (piece.origin == PageOrigin::kZero) bytes.append(piece.range.size_bytes(), '\0');
    if (piece.origin != PageOrigin::kZero && stored.empty()) return MissingPiece(*this, piece);
    bytes.append(reinterpret_cast<const char*>(stored.data()), stored.size());
    return true;
  };
  CKPT_TRY(ForEachBytes(range, append));
  return bytes;
}

bool NeedsMemoryImages(std::string_view file_name) {
  constexpr std::array kTypes = {
      ImageType::kInventory, ImageType::kPstree,  ImageType::kCore,       ImageType::kMm,
      ImageType::kVmas,      ImageType::kPagemap, ImageType::kPages,      ImageType::kPagesZstd,
      ImageType::kRegFiles,  ImageType::kFiles,   ImageType::kMemfdInode, ImageType::kShmemPagemap};
  const auto image = FindImageTypeByFileName(file_name);
  return file_name == kParentLink || (image && std::ranges::count(kTypes, image->type) > 0);
}

std::string WhyMissing(const ProcessMemory& memory, const MemoryPiece& piece) {
  const std::string name = EscapeOctal(memory.NameOf(piece));
  switch (piece.origin) {
    case PageOrigin::kUnmapped:
      return "nothing is mapped there";
    case PageOrigin::kLazy:
      return "it was left with the process, to be fetched later";
    case PageOrigin::kFile:
      return fmt::format("it is that of a file, {} at offset {:#x}", name,
                         piece.vma->pgoff() + (piece.range.start - piece.vma->start()));
    default:
      return fmt::format("the dump has no image of {}", name.empty() ? "its memory" : name);
  }
}

Error MissingPiece(const ProcessMemory& memory, const MemoryPiece& piece) {
  return MakeError(ErrorCode::kNotFound,
                   "process {}: memory from {:#x} to {:#x} is not in the "
                   "dump: {}",
                   memory.pid(), piece.range.start, piece.range.end, WhyMissing(memory, piece));
}

}  // namespace ckpt
