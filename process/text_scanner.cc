#include "process/text_scanner.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace ckpt {

namespace {

constexpr std::string_view kBlanks = " \t";

template <typename Number>
std::optional<Number> TakeNumber(std::string_view& rest, int base) {
  Number number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, base);
  if (error != std::errc{}) return std::nullopt;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  return number;
}

}  // namespace

std::optional<uint64_t> TextScanner::ReadNumber(int base) {
  return TakeNumber<uint64_t>(rest_, base);
}

std::optional<int64_t> TextScanner::ReadSigned() { return TakeNumber<int64_t>(rest_, 10); }

bool TextScanner::Skip(char expected) {
  if (!rest_.starts_with(expected)) return false;
  rest_.remove_prefix(1);
  return true;
}

bool TextScanner::Skip(std::string_view expected) {
  if (!rest_.starts_with(expected)) return false;
  rest_.remove_prefix(expected.size());
  return true;
}

void TextScanner::SkipBlanks() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
}

std::string_view TextScanner::ReadUntil(char delimiter) {
  const size_t length = std::min(rest_.find(delimiter), rest_.size());
  const std::string_view taken = rest_.substr(0, length);
  rest_.remove_prefix(std::min(length + 1, rest_.size()));
  return taken;
}

std::string_view TextScanner::ReadWord() {
  SkipBlanks();
  const std::string_view word = rest_.substr(0, rest_.find_first_of(kBlanks));
  rest_.remove_prefix(word.size());
  return word;
}

}  // namespace ckpt
