#include "imgtool/memory/memory_search.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace ckpt {
namespace {

// Read at once, and searched while it is in the processor's cache.
constexpr size_t kBlockBytes = size_t{512} << 10;

class Search {
 public:
  Search(const BytePattern& pattern, const MatchVisitor& visit, const ReadCount& on_progress)
      : pattern_(pattern),
        visit_(visit),
        on_progress_(on_progress),
        reserve_(pattern.max_match_bytes() + kContextBytes),
        buffer_(kContextBytes + 2 * reserve_ + kBlockBytes) {}

  Result<bool> Add(const MemoryPiece& piece) {
    if (piece.origin != PageOrigin::kStored || piece.range.start != Address(filled_)) {
      CKPT_TRY(EndText(piece.range.start));
    }
    if (piece.origin != PageOrigin::kStored) return !stopped_;
    parts_.push_back({piece.range.start, piece.vma});
    for (uint64_t at = piece.range.start; at < piece.range.end && !stopped_;) {
      CKPT_TRY(const size_t got, ReadSome(piece, at));
      at += got;
    }
    return !stopped_;
  }

  // The rest of the text that was being read; the next one begins at `address`.
  Result<> EndText(uint64_t address) {
    CKPT_TRY(FindUpTo(filled_));
    start_ = address;
    filled_ = 0;
    from_ = 0;
    parts_.clear();
    return success();
  }

 private:
  // Of the mapping that pages from here on are in.
  struct Part {
    uint64_t start;
    const pb::vma_entry* vma;
  };

  uint64_t Address(size_t offset) const { return start_ + offset; }

  // As much of the piece as there is room for; of pages whose beginning or end is not wanted, only
  // what is wanted.
  Result<size_t> ReadSome(const MemoryPiece& piece, uint64_t at) {
    const size_t skipped = at % kPageBytes;
    const size_t room = (buffer_.size() - filled_) / kPageBytes * kPageBytes;
    const size_t wanted = std::min<uint64_t>(room - skipped, piece.range.end - at);
    const size_t whole = (skipped + wanted + kPageBytes - 1) / kPageBytes * kPageBytes;
    const auto out = std::span(buffer_).subspan(filled_, whole);
    CKPT_TRY(piece.pages->Read(piece.pages_start + (at - piece.range.start) - skipped, out));
    if (skipped != 0) std::memmove(out.data(), out.data() + skipped, wanted);
    filled_ += wanted;
    read_ += wanted;
    if (buffer_.size() - filled_ < 2 * kPageBytes) CKPT_TRY(Slide());
    return wanted;
  }

  // Searches what is there but for its end, where a match may begin that goes on in what is not
  // read yet, and makes room.
  Result<> Slide() {
    on_progress_(read_);
    CKPT_TRY(FindUpTo(filled_ - reserve_));
    const size_t keep_from = from_ - std::min(from_, kContextBytes);
    std::memmove(buffer_.data(), buffer_.data() + keep_from, filled_ - keep_from);
    start_ += keep_from;
    filled_ -= keep_from;
    from_ -= keep_from;
    const auto gone =
        std::ranges::find_if(parts_, [&](const Part& part) { return part.start > start_; });
    if (gone != parts_.begin()) parts_.erase(parts_.begin(), gone - 1);
    return success();
  }

  // All matches that begin before `limit`.
  Result<> FindUpTo(size_t limit) {
    while (from_ < limit && !stopped_) {
      const auto match = pattern_.Find(Bytes(buffer_).first(filled_), from_);
      if (!match || match->start >= limit) break;
      CKPT_TRY(Give(*match));
      from_ = pattern_.Behind(*match);
    }
    from_ = std::max(from_, limit);
    return success();
  }

  Result<> Give(const ByteMatch& match) {
    const Bytes text = Bytes(buffer_).first(filled_);
    const size_t before = std::min(match.start, kContextBytes);
    const size_t end = match.start + match.size_bytes;
    const MemoryMatch found = {
        .address = Address(match.start),
        .vma = VmaAt(Address(match.start)),
        .bytes = text.subspan(match.start, match.size_bytes),
        .before = text.subspan(match.start - before, before),
        .after = text.subspan(end, std::min(filled_ - end, kContextBytes)),
    };
    CKPT_TRY(const bool go_on, visit_(found));
    stopped_ = !go_on;
    return success();
  }

  const pb::vma_entry* VmaAt(uint64_t address) const {
    const auto behind = std::ranges::partition_point(
        parts_, [&](const Part& part) { return part.start <= address; });
    return behind == parts_.begin() ? nullptr : (behind - 1)->vma;
  }

  const BytePattern& pattern_;
  const MatchVisitor& visit_;
  const ReadCount& on_progress_;
  size_t reserve_;  // what must stand behind the beginning of a match
  std::vector<std::byte> buffer_;
  uint64_t start_ = 0;  // address of the first byte in the buffer
  size_t filled_ = 0;
  size_t from_ = 0;  // where the next match may begin
  uint64_t read_ = 0;
  bool stopped_ = false;
  std::vector<Part> parts_;
};

}  // namespace

Result<> SearchMemory(const ProcessMemory& memory, AddressRange range, const BytePattern& pattern,
                      const MatchVisitor& visit, const ReadCount& on_progress) {
  Search search(pattern, visit, on_progress);
  CKPT_TRY(memory.ForEachPiece(range, [&](const MemoryPiece& piece) { return search.Add(piece); }));
  return search.EndText(range.end);
}

}  // namespace ckpt
