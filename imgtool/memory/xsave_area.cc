#include "imgtool/memory/xsave_area.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace ckpt {
namespace {

constexpr size_t kFxsaveBytes = 512;
constexpr size_t kStOffset = 32;
constexpr size_t kStBytes = 128;
constexpr size_t kXmmOffset = 160;
constexpr size_t kXmmBytes = 256;

// Linux puts XCR0 into bytes that software may use; a debugger learns from it what the area holds.
constexpr size_t kXcr0Offset = 464;
constexpr size_t kXstateBvOffset = 512;
constexpr size_t kHeaderBytes = 64;
constexpr uint64_t kX87AndSse = 0b11;

struct Component {
  int number;  // the bit in XCR0
  std::string_view field;
  size_t offset;
  size_t size_bytes;
};
constexpr Component kAvx = {2, "ymmh_space", 576, 256};
constexpr Component kBndRegs = {3, "bndreg_state", 960, 64};
constexpr Component kBndCsr = {4, "bndcsr_state", 1024, 64};
constexpr Component kOpmask = {5, "opmask_reg", 1088, 64};
constexpr Component kZmmUpper = {6, "zmm_upper", 1152, 512};
constexpr Component kHi16Zmm = {7, "hi16_zmm", 1664, 1024};
constexpr Component kPkru = {9, "pkru", 2688, 8};

template <typename T>
void Put(std::string& area, size_t offset, T value) {
  std::memcpy(area.data() + offset, &value, sizeof(value));
}

template <typename Words>
Result<> PutWords(std::string& area, std::string_view field, size_t offset, size_t size_bytes,
                  const Words& words) {
  const size_t found = static_cast<size_t>(words.size()) * sizeof(*words.data());
  if (found != size_bytes) {
    return MakeError(ErrorCode::kBadFormat, "fpregs: {} has {} bytes, expected {}", field, found,
                     size_bytes);
  }
  if (area.size() < offset + size_bytes) area.resize(offset + size_bytes);
  std::memcpy(area.data() + offset, words.data(), size_bytes);
  return success();
}

// The components of one area: those that are empty in the image are none that the processor had.
class Components {
 public:
  explicit Components(std::string area) : area_(std::move(area)) {}

  template <typename Words>
  Result<> Add(const Component& component, const Words& words) {
    if (words.empty()) return success();
    held_ |= uint64_t{1} << component.number;
    return PutWords(area_, component.field, component.offset, component.size_bytes, words);
  }

  std::string Finish(uint64_t in_use) && {
    Put(area_, kXcr0Offset, held_);
    Put(area_, kXstateBvOffset, in_use & held_);
    return std::move(area_);
  }

 private:
  std::string area_;
  uint64_t held_ = kX87AndSse;
};

}  // namespace

Result<std::string> BuildFxsaveArea(const pb::user_x86_fpregs_entry& registers) {
  std::string area(kFxsaveBytes, '\0');
  Put(area, 0, static_cast<uint16_t>(registers.cwd()));
  Put(area, 2, static_cast<uint16_t>(registers.swd()));
  Put(area, 4, static_cast<uint16_t>(registers.twd()));
  Put(area, 6, static_cast<uint16_t>(registers.fop()));
  Put(area, 8, uint64_t{registers.rip()});
  Put(area, 16, uint64_t{registers.rdp()});
  Put(area, 24, uint32_t{registers.mxcsr()});
  Put(area, 28, uint32_t{registers.mxcsr_mask()});
  CKPT_TRY(PutWords(area, "st_space", kStOffset, kStBytes, registers.st_space()));
  CKPT_TRY(PutWords(area, "xmm_space", kXmmOffset, kXmmBytes, registers.xmm_space()));
  return area;
}

Result<std::string> BuildXsaveArea(const pb::user_x86_fpregs_entry& registers) {
  if (!registers.has_xsave()) return std::string();
  CKPT_TRY(std::string area, BuildFxsaveArea(registers));
  area.resize(kFxsaveBytes + kHeaderBytes);
  Components components(std::move(area));
  const pb::user_x86_xsave_entry& xsave = registers.xsave();
  CKPT_TRY(components.Add(kAvx, xsave.ymmh_space()));
  CKPT_TRY(components.Add(kBndRegs, xsave.bndreg_state()));
  CKPT_TRY(components.Add(kBndCsr, xsave.bndcsr_state()));
  CKPT_TRY(components.Add(kOpmask, xsave.opmask_reg()));
  CKPT_TRY(components.Add(kZmmUpper, xsave.zmm_upper()));
  CKPT_TRY(components.Add(kHi16Zmm, xsave.hi16_zmm()));
  CKPT_TRY(components.Add(kPkru, xsave.pkru()));
  return std::move(components).Finish(xsave.xstate_bv());
}

}  // namespace ckpt
