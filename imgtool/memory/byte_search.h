// Finding a sequence of bytes in memory, at about the speed at which it can be read.
#ifndef IMGTOOL_MEMORY_BYTE_SEARCH_H_
#define IMGTOOL_MEMORY_BYTE_SEARCH_H_

#include <cstddef>
#include <string>
#include <utility>

#include "base/byte_reader.h"

namespace ckpt {

inline constexpr size_t kNoPlace = SIZE_MAX;

class ByteSearch {
 public:
  // `needle` must not be empty.
  explicit ByteSearch(std::string needle);

  const std::string& needle() const { return needle_; }

  // Where the first occurrence at or behind `from` begins, or kNoPlace. At worst the time is the
  // product of both sizes, for a needle of nothing but repetitions in bytes of the same.
  size_t Find(Bytes haystack, size_t from) const;

 private:
  size_t FindOneByOne(Bytes haystack, size_t from) const;

  std::string needle_;
  // Two positions in the needle whose bytes are compared first: the two that are rarest in what
  // memory mostly consists of.
  size_t first_ = 0;
  size_t second_ = 0;
};

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_BYTE_SEARCH_H_
