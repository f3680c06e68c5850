// A cursor over the text of a /proc file: the numbers, words and lines that those files are made
// of, without copies. A read that does not match returns nothing and leaves the cursor in place.
#ifndef PROCESS_TEXT_SCANNER_H_
#define PROCESS_TEXT_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ckpt {

class TextScanner {
 public:
  explicit TextScanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  // A number without sign or prefix, at least one digit, no more than 64 bits.
  std::optional<uint64_t> ReadDecimal() { return ReadNumber(10); }
  std::optional<uint64_t> ReadHex() { return ReadNumber(16); }
  std::optional<uint64_t> ReadOctal() { return ReadNumber(8); }
  std::optional<int64_t> ReadSigned();

  // True, and past it, when `expected` comes next.
  bool Skip(char expected);
  bool Skip(std::string_view expected);
  // Past any spaces and tabs.
  void SkipBlanks();

  // The text up to `delimiter`, or all that is left; the cursor goes past the delimiter.
  std::string_view ReadUntil(char delimiter);
  std::string_view ReadLine() { return ReadUntil('\n'); }
  // Skips blanks, then takes what comes before the next blank or the end.
  std::string_view ReadWord();

 private:
  std::optional<uint64_t> ReadNumber(int base);

  std::string_view rest_;
};

}  // namespace ckpt

#endif  // PROCESS_TEXT_SCANNER_H_
