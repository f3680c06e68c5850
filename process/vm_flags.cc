#include "process/vm_flags.h"

#include <algorithm>
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

VmFlag FlagOf(std::string_view letters) {
  const auto* found = std::ranges::find(kLetters, letters);
  return found == kLetters.end() ? VmFlag::kUnknown : static_cast<VmFlag>(found - kLetters.begin());
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
