#include "imgtool/memory/byte_pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "imgtool/memory/byte_search.h"

namespace ckpt {
namespace {

class TextPattern : public BytePattern {
 public:
  explicit TextPattern(std::string text) : search_(std::move(text)) {}

  std::optional<ByteMatch> Find(Bytes bytes, size_t from) const override {
    const size_t place = search_.Find(bytes, from);
    if (place == kNoPlace) return std::nullopt;
    return ByteMatch{place, search_.needle().size()};
  }

  size_t Behind(const ByteMatch& match) const override { return match.start + 1; }

  size_t max_match_bytes() const override { return search_.needle().size(); }

 private:
  ByteSearch search_;
};

// What RE2 may spend on states of its automaton before it starts anew: more makes searches with
// large expressions faster.
constexpr int64_t kMaxRegexMemory = int64_t{32} << 20;

RE2::Options RegexOptions() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexMemory);
  return options;
}

class RegexPattern : public BytePattern {
 public:
  explicit RegexPattern(const std::string& regex) : regex_("(?m)" + regex, RegexOptions()) {}

  const RE2& regex() const { return regex_; }

  std::optional<ByteMatch> Find(Bytes bytes, size_t from) const override {
    const re2::StringPiece text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (from < bytes.size()) {
      re2::StringPiece found;
      if (!regex_.Match(text, from, bytes.size(), RE2::UNANCHORED, &found, 1)) break;
      const auto start = static_cast<size_t>(found.data() - text.data());
      if (!found.empty() && found.size() <= kMaxRegexMatchBytes) {
        return ByteMatch{start, found.size()};
      }
      // Of one that is too long the end may yet be one that is not.
      from =
          std::max(start + 1, start + found.size() - std::min(found.size(), kMaxRegexMatchBytes));
    }
    return std::nullopt;
  }

  size_t Behind(const ByteMatch& match) const override { return match.start + match.size_bytes; }

  size_t max_match_bytes() const override { return kMaxRegexMatchBytes; }

 private:
  RE2 regex_;
};

}  // namespace

Result<std::unique_ptr<BytePattern>> MakeTextPattern(std::string text) {
  if (text.empty() || text.size() > kMaxTextBytes) {
    return MakeError(ErrorCode::kUsage, "a text of {} bytes to search for, 1 to {} are allowed",
                     text.size(), kMaxTextBytes);
  }
  return std::unique_ptr<BytePattern>(std::make_unique<TextPattern>(std::move(text)));
}

Result<std::unique_ptr<BytePattern>> MakeRegexPattern(const std::string& regex) {
  // As it was given, for RE2's message.
  const RE2 given(regex, RegexOptions());
  auto pattern = std::make_unique<RegexPattern>(regex);
  if (!given.ok() || !pattern->regex().ok()) {
    return MakeError(ErrorCode::kUsage, "'{}' is no regular expression: {}", regex,
                     given.ok() ? pattern->regex().error() : given.error());
  }
  if (RE2::FullMatch("", given)) {
    return MakeError(ErrorCode::kUsage, "'{}' matches everywhere: it matches the empty string",
                     regex);
  }
  return std::unique_ptr<BytePattern>(std::move(pattern));
}

}  // namespace ckpt
