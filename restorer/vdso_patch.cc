#include "restorer/vdso_patch.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <span>
#include <string_view>

namespace ckpt {

namespace {

// movabs $target, %r11; jmp *%r11. %r11 is free to be clobbered on entry to a function.
constexpr size_t kJumpTargetOffset = 2;
constexpr std::array<uint8_t, 13> kJump = {0x49, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xff, 0xe3};

// mov $-38, %rax; ret
constexpr std::array<uint8_t, 8> kNotImplemented = {0x48, 0xc7, 0xc0, 0xda, 0xff, 0xff, 0xff, 0xc3};

std::array<uint8_t, 13> JumpTo(uint64_t target) {
  std::array<uint8_t, 13> code = kJump;
  std::memcpy(code.data() + kJumpTargetOffset, &target, sizeof(target));
  return code;
}

// From `offset` to the next function, or to the end.
uint64_t RoomAt(uint64_t offset, const std::set<uint64_t>& starts, uint64_t end) {
  const auto next = starts.upper_bound(offset);
  return (next == starts.end() ? end : *next) - offset;
}

}  // namespace

Result<std::vector<std::byte>> PatchVdso(Bytes image, const VdsoSymbols& dumped,
                                         const VdsoSymbols& running, uint64_t running_start) {
  std::vector<std::byte> patched(image.begin(), image.end());
  std::set<uint64_t> starts;
  for (const auto& [name, function] : dumped) starts.insert(function.offset);
  const auto put = [&](std::string_view name, uint64_t offset,
                       std::span<const uint8_t> code) -> Result<> {
    const uint64_t room = RoomAt(offset, starts, image.size());
    if (code.size() > room) {
      return MakeError(ErrorCode::kUnsupported, "vdso: function {} has {} bytes, {} are needed",
                       name, room, code.size());
    }
    std::ranges::copy(std::as_bytes(code), patched.begin() + static_cast<std::ptrdiff_t>(offset));
    return success();
  };
  for (const auto& [name, function] : dumped) {
    const auto found = running.find(name);
    if (found == running.end()) {
      CKPT_TRY(put(name, function.offset, kNotImplemented));
    } else {
      CKPT_TRY(put(name, function.offset, JumpTo(running_start + found->second.offset)));
    }
  }
  return patched;
}

}  // namespace ckpt
