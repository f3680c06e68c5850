#include "imgtool/explore/page_diff.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace ckpt {
namespace {

constexpr uint64_t kChunkBytes = 256 << 10;
constexpr uint64_t kEnd = std::numeric_limits<uint64_t>::max();

// The ranges of one memory, passed in the order of their addresses.
class Side {
 public:
  explicit Side(const PageRanges* pages) : pages_(pages), buffer_(kChunkBytes) {}

  // Whether the page at `address` is there, and up to where that holds.
  struct Stretch {
    bool is_present;
    uint64_t end;
  };
  Stretch At(uint64_t address) {
    if (pages_ == nullptr) return {false, kEnd};
    const auto& ranges = pages_->ranges();
    while (next_ < ranges.size() && (ranges[next_].end() <= address || ranges[next_].is_lazy)) {
      ++next_;
    }
    if (next_ == ranges.size()) return {false, kEnd};
    if (ranges[next_].start > address) return {false, ranges[next_].start};
    return {true, ranges[next_].end()};
  }

  Result<> Load(uint64_t start, uint64_t size) {
    return pages_->Read(start, std::span(buffer_).first(size));
  }
  const std::byte* page(uint64_t offset) const { return buffer_.data() + offset; }

 private:
  const PageRanges* pages_;
  size_t next_ = 0;
  std::vector<std::byte> buffer_;
};

bool IsZero(const std::byte* page) {
  return page[0] == std::byte{0} && std::memcmp(page, page + 1, kPageBytes - 1) == 0;
}

class Comparison {
 public:
  Comparison(const PageRanges* old_pages, const PageRanges* new_pages, const PageComparison& how,
             const std::string& object, DiffReport& report)
      : old_(old_pages), new_(new_pages), how_(how), object_(object), report_(report) {}

  Result<> Run() {
    uint64_t address = 0;
    while (!report_.stopped()) {
      const Side::Stretch old_stretch = old_.At(address);
      const Side::Stretch new_stretch = new_.At(address);
      uint64_t end = std::min(old_stretch.end, new_stretch.end);
      if (end == kEnd) break;
      if (old_stretch.is_present || new_stretch.is_present) {
        end = std::min(end, address + kChunkBytes);
        CKPT_TRY(
            CompareChunk(address, end - address, old_stretch.is_present, new_stretch.is_present));
      }
      address = end;
    }
    EndRun();
    return success();
  }

 private:
  Result<> CompareChunk(uint64_t start, uint64_t size, bool in_old, bool in_new) {
    if (in_old) CKPT_TRY(old_.Load(start, size));
    if (in_new) CKPT_TRY(new_.Load(start, size));
    for (uint64_t offset = 0; offset < size; offset += kPageBytes) {
      if (const auto kind = ComparePage(start + offset, offset, in_old, in_new)) {
        Extend(*kind, start + offset);
      }
    }
    return success();
  }

  std::optional<ChangeKind> ComparePage(uint64_t address, uint64_t offset, bool in_old,
                                        bool in_new) const {
    if (in_old && in_new) {
      return IsSame(address, offset) ? std::nullopt : std::optional(ChangeKind::kChanged);
    }
    const std::byte* page = in_old ? old_.page(offset) : new_.page(offset);
    if (how_.is_zero_absent(address)) {
      return IsZero(page) ? std::nullopt : std::optional(ChangeKind::kChanged);
    }
    return in_old ? ChangeKind::kGone : ChangeKind::kNew;
  }

  bool IsSame(uint64_t address, uint64_t offset) const {
    const std::byte* old_page = old_.page(offset);
    const std::byte* new_page = new_.page(offset);
    if (std::memcmp(old_page, new_page, kPageBytes) == 0) return true;
    for (uint64_t i = 0; i < kPageBytes; ++i) {
      if (old_page[i] != new_page[i] && !IsIgnored(address + i)) return false;
    }
    return true;
  }

  bool IsIgnored(uint64_t address) const {
    return std::ranges::any_of(how_.ignored, [&](const ByteRange& range) {
      return address >= range.start && address - range.start < range.size_bytes;
    });
  }

  void Extend(ChangeKind kind, uint64_t address) {
    if (run_pages_ != 0 && (kind != run_kind_ || address != run_start_ + run_pages_ * kPageBytes)) {
      EndRun();
    }
    if (run_pages_ == 0) {
      run_kind_ = kind;
      run_start_ = address;
    }
    ++run_pages_;
  }

  void EndRun() {
    if (run_pages_ != 0) report_.AddPages(run_kind_, object_, run_start_, run_pages_);
    run_pages_ = 0;
  }

  Side old_;
  Side new_;
  const PageComparison& how_;
  const std::string& object_;
  DiffReport& report_;
  ChangeKind run_kind_ = ChangeKind::kChanged;
  uint64_t run_start_ = 0;
  uint64_t run_pages_ = 0;
};

}  // namespace

Result<> ComparePages(const PageRanges* old_pages, const PageRanges* new_pages,
                      const PageComparison& how, const std::string& object, DiffReport& report) {
  return Comparison(old_pages, new_pages, how, object, report).Run();
}

}  // namespace ckpt
