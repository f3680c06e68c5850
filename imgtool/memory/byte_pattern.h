// What to look for in memory: a text, or a regular expression over bytes.
#ifndef IMGTOOL_MEMORY_BYTE_PATTERN_H_
#define IMGTOOL_MEMORY_BYTE_PATTERN_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

struct ByteMatch {
  size_t start = 0;
  size_t size_bytes = 0;
};

class BytePattern {
 public:
  virtual ~BytePattern() = default;

  // The first match that begins at or behind `from`; those of no bytes do not count. What stands
  // before `from` is seen by "^" and "\b".
  virtual std::optional<ByteMatch> Find(Bytes bytes, size_t from) const = 0;

  // Where the search goes on behind a match.
  virtual size_t Behind(const ByteMatch& match) const = 0;

  // No match that is reported is longer.
  virtual size_t max_match_bytes() const = 0;
};

// All occurrences, overlapping ones included. kUsage where `text` is empty or longer than
// kMaxTextBytes.
inline constexpr size_t kMaxTextBytes = 4096;
Result<std::unique_ptr<BytePattern>> MakeTextPattern(std::string text);

// A regular expression in RE2's syntax (https://github.com/google/re2/wiki/Syntax) whose characters
// are bytes; "^" and "$" are the ends of lines. Matches do not overlap. Time is linear in the size
// of the memory. kUsage with RE2's message where it is none, or matches nothing but the empty
// string at every place.
inline constexpr size_t kMaxRegexMatchBytes = size_t{64} << 10;
Result<std::unique_ptr<BytePattern>> MakeRegexPattern(const std::string& regex);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_BYTE_PATTERN_H_
