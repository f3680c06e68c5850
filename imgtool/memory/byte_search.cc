#include "imgtool/memory/byte_search.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/result.h"

namespace ckpt {
namespace {

// How common a byte is in the memory of processes, roughly: zeros, small numbers and -1 most, then
// text, then the rest.
int Frequency(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte == 0) return 5;
  if (byte == 0xff || byte < 9) return 4;
  if (std::strchr(" etaoinsrl", c) != nullptr) return 3;
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_') return 2;
  return byte >= 0x20 && byte < 0x7f ? 1 : 0;
}

size_t Rarest(const std::string& needle, size_t but) {
  size_t rarest = needle.size();
  for (size_t i = 0; i < needle.size(); ++i) {
    if (i == but) continue;
    if (rarest == needle.size() || Frequency(needle[i]) < Frequency(needle[rarest])) rarest = i;
  }
  return rarest;
}

__m128i Load(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

}  // namespace

ByteSearch::ByteSearch(std::string needle) : needle_(std::move(needle)) {
  CKPT_CHECK(!needle_.empty());
  first_ = Rarest(needle_, needle_.size());
  second_ = needle_.size() == 1 ? first_ : Rarest(needle_, first_);
}

// 64 places at a time: those where both chosen bytes are as in the needle are compared in full.
size_t ByteSearch::Find(Bytes haystack, size_t from) const {
  constexpr size_t kLane = sizeof(__m128i);
  constexpr size_t kLanes = 4;
  const size_t size = needle_.size();
  const char* data = reinterpret_cast<const char*>(haystack.data());
  const __m128i first = _mm_set1_epi8(needle_[first_]);
  const __m128i second = _mm_set1_epi8(needle_[second_]);
  const auto candidates = [&](size_t at) {
    return _mm_and_si128(_mm_cmpeq_epi8(Load(data + at + first_), first),
                         _mm_cmpeq_epi8(Load(data + at + second_), second));
  };
  size_t at = from;
  while (at <= haystack.size() && haystack.size() - at >= size + kLane * kLanes) {
    __m128i found[kLanes];
    for (size_t i = 0; i < kLanes; ++i) found[i] = candidates(at + i * kLane);
    const __m128i any =
        _mm_or_si128(_mm_or_si128(found[0], found[1]), _mm_or_si128(found[2], found[3]));
    if (_mm_movemask_epi8(any) != 0) {
      for (size_t i = 0; i < kLanes; ++i) {
        for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(found[i])); mask != 0;
             mask &= mask - 1) {
          const size_t place = at + i * kLane + static_cast<size_t>(std::countr_zero(mask));
          if (std::memcmp(data + place, needle_.data(), size) == 0) return place;
        }
      }
    }
    at += kLane * kLanes;
  }
  return FindOneByOne(haystack, at);
}

size_t ByteSearch::FindOneByOne(Bytes haystack, size_t from) const {
  return AsText(haystack).find(needle_, from);
}

}  // namespace ckpt
