#include "restorer/inherited_memory.h"

#include <sys/mman.h>

#include <algorithm>

namespace ckpt {

namespace {

using Kind = MappingPlan::Kind;

// A range that both processes have mapped alike.
struct Common {
  RemoteRange range;
  const MappingPlan* maker = nullptr;
  const MappingPlan* made = nullptr;
};

bool IsAlike(const MappingPlan& a, const MappingPlan& b) {
  if (a.kind != b.kind || a.flags != b.flags || (a.flags & MAP_LOCKED) != 0) return false;
  if (a.kind == Kind::kAnonymous) return true;
  if (a.kind != Kind::kFile && a.kind != Kind::kSharedMemory) return false;
  return a.file_id == b.file_id && a.shared_id == b.shared_id && a.file_access == b.file_access &&
         a.file_offset - a.range.start == b.file_offset - b.range.start;
}

std::vector<Common> FindCommon(const AddressSpacePlan& maker, const AddressSpacePlan& made) {
  std::vector<Common> common;
  auto ours = maker.mappings.begin();
  auto theirs = made.mappings.begin();
  while (ours != maker.mappings.end() && theirs != made.mappings.end()) {
    const RemoteRange both = {std::max(ours->range.start, theirs->range.start),
                              std::min(ours->range.end, theirs->range.end)};
    if (both.start < both.end && IsAlike(*ours, *theirs)) {
      common.push_back({both, &*ours, &*theirs});
    }
    if (ours->range.end < theirs->range.end) {
      ++ours;
    } else {
      ++theirs;
    }
  }
  return common;
}

// The parts of the mappings that are not in `common`.
std::vector<MappingPiece> Rest(const std::vector<MappingPlan>& mappings,
                               const std::vector<Common>& common) {
  std::vector<MappingPiece> rest;
  auto next = common.begin();
  for (const MappingPlan& mapping : mappings) {
    uint64_t at = mapping.range.start;
    for (; next != common.end() && next->range.start < mapping.range.end; ++next) {
      if (at < next->range.start) rest.push_back({&mapping, {at, next->range.start}});
      at = next->range.end;
    }
    if (at < mapping.range.end) rest.push_back({&mapping, {at, mapping.range.end}});
  }
  return rest;
}

// Ascending queries for what holds an address, in a list of ascending ranges.
template <typename T>
class Finder {
 public:
  explicit Finder(const std::vector<T>& ranges) : ranges_(ranges) {}
  const T* At(uint64_t address) {
    while (next_ < ranges_.size() && ranges_[next_].range.end <= address) ++next_;
    const bool holds = next_ < ranges_.size() && ranges_[next_].range.start <= address;
    return holds ? &ranges_[next_] : nullptr;
  }

 private:
  const std::vector<T>& ranges_;
  size_t next_ = 0;
};

PagesPlan PageOf(const PagesPlan& run, uint64_t address) {
  return {.range = {address, address + kPageSize},
          .source = run.source,
          .offset_bytes = run.offset_bytes + (address - run.range.start)};
}

bool IsPrivate(const MappingPlan& mapping) { return (mapping.flags & MAP_TYPE) != MAP_SHARED; }

void Append(const PagesPlan& page, std::vector<PagesPlan>& runs) {
  if (!runs.empty()) {
    PagesPlan& last = runs.back();
    if (last.range.end == page.range.start && last.source == page.source &&
        last.offset_bytes + last.range.size_bytes() == page.offset_bytes) {
      last.range.end = page.range.end;
      return;
    }
  }
  runs.push_back(page);
}

void Append(const RemoteRange& page, std::vector<RemoteRange>& ranges) {
  if (!ranges.empty() && ranges.back().end == page.start) {
    ranges.back().end = page.end;
  } else {
    ranges.push_back(page);
  }
}

std::vector<PagesPlan> PagesToWrite(const AddressSpacePlan& maker, const AddressSpacePlan& made,
                                    const std::vector<Common>& common, const IsSamePage& is_same) {
  std::vector<PagesPlan> written;
  Finder<Common> inherited(common);
  Finder<PagesPlan> makers(maker.pages);
  for (const PagesPlan& run : made.pages) {
    for (uint64_t at = run.range.start; at < run.range.end; at += kPageSize) {
      const PagesPlan page = PageOf(run, at);
      const PagesPlan* theirs = inherited.At(at) != nullptr ? makers.At(at) : nullptr;
      if (theirs == nullptr || !is_same(page, PageOf(*theirs, at))) Append(page, written);
    }
  }
  return written;
}

std::vector<RemoteRange> PagesToDrop(const AddressSpacePlan& maker, const AddressSpacePlan& made,
                                     const std::vector<Common>& common) {
  std::vector<RemoteRange> dropped;
  Finder<Common> inherited(common);
  Finder<PagesPlan> kept(made.pages);
  for (const PagesPlan& run : maker.pages) {
    for (uint64_t at = run.range.start; at < run.range.end; at += kPageSize) {
      const Common* both = inherited.At(at);
      if (both == nullptr || !IsPrivate(*both->made) || kept.At(at) != nullptr) continue;
      Append(RemoteRange{at, at + kPageSize}, dropped);
    }
  }
  return dropped;
}

}  // namespace

InheritancePlan PlanInheritance(const AddressSpacePlan& maker, const AddressSpacePlan& made,
                                const IsSamePage& is_same) {
  const std::vector<Common> common = FindCommon(maker, made);
  InheritancePlan plan;
  for (const MappingPiece& piece : Rest(maker.mappings, common)) {
    plan.unmapped.push_back(piece.range);
  }
  plan.mapped = Rest(made.mappings, common);
  for (const Common& both : common) {
    if (ProtectionWhileFilling(*both.maker) != ProtectionWhileFilling(*both.made)) {
      plan.reprotected.push_back({both.made, both.range});
    }
  }
  plan.dropped = PagesToDrop(maker, made, common);
  plan.written = PagesToWrite(maker, made, common, is_same);
  return plan;
}

int ProtectionWhileFilling(const MappingPlan& mapping) {
  return mapping.has_pages ? mapping.protection | PROT_WRITE : mapping.protection;
}

}  // namespace ckpt
