#include "process/vm_flags.h"

#include <array>

#include "process/text_scanner.h"

namespace ckpt {

namespace {

// In the order of VmFlag.
constexpr std::array<std::string_view, kVmFlagCount> kLetters = {
    "rd", "wr", "ex", "sh", "mr", "mw", "me", "ms", "gd", "pf", "lo", "io", "sr",
    "rr", "dc", "de", "lf", "ac", "nr", "ht", "sf", "ar", "wf", "dd", "sd", "mm",
    "hg", "nh", "mg", "um", "uw", "ui", "ss", "sl", "dp", "gu", "??",
};
static_assert(kLetters.back() == "??");

constexpr size_t kAlphabet = 26;

// Of two letters of the alphabet.
constexpr size_t IndexOf(std::string_view letters) {
  return static_cast<size_t>(letters[0] - 'a') * kAlphabet + static_cast<size_t>(letters[1] - 'a');
}

constexpr bool AreLetters(std::string_view word) {
  return word.size() == 2 && word[0] >= 'a' && word[0] <= 'z' && word[1] >= 'a' && word[1] <= 'z';
}

// By IndexOf(). Each mapping has a dozen flags, and a process may have many mappings.
constexpr auto kFlags = [] {
  std::array<VmFlag, kAlphabet * kAlphabet> flags{};
  flags.fill(VmFlag::kUnknown);
  for (size_t i = 0; i < kLetters.size(); ++i) {
    if (AreLetters(kLetters[i])) flags[IndexOf(kLetters[i])] = static_cast<VmFlag>(i);
  }
  return flags;
}();

VmFlag FlagOf(std::string_view word) {
  return AreLetters(word) ? kFlags[IndexOf(word)] : VmFlag::kUnknown;
}

}  // namespace

VmFlags ParseVmFlags(std::string_view text) {
  VmFlags flags;
  TextScanner scanner(text);
  for (auto word = scanner.ReadWord(); !word.empty(); word = scanner.ReadWord()) {
    flags.Add(FlagOf(word));
  }
  return flags;
}

std::string_view VmFlagLetters(VmFlag flag) { return kLetters[static_cast<size_t>(flag)]; }

}  // namespace ckpt
