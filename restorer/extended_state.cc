#include "restorer/extended_state.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "base/byte_reader.h"

namespace ckpt {

namespace {

// Of the FXSAVE area: offsets in bytes (Intel SDM, volume 1, table 10-2).
constexpr size_t kStSpaceOffset = 32;
constexpr size_t kStSpaceWords = 32;
constexpr size_t kXmmSpaceOffset = 160;
constexpr size_t kXmmSpaceWords = 64;

constexpr uint64_t kLegacyComponents = BitOf(XComponent::kX87) | BitOf(XComponent::kSse);

class Builder {
 public:
  Builder(const pb::user_x86_fpregs_entry& entry, std::vector<std::byte> area,
          const ExtendedStateHost& host)
      : entry_(entry), area_(std::move(area)), host_(host) {}

  Result<std::vector<std::byte>> Build() {
    CKPT_CHECK(area_.size() >= kXsaveHeaderOffset + kXsaveHeaderBytes);
    // What lies between the registers and the header belongs to the kernel.
    std::fill_n(area_.begin(), kXsaveXcr0Offset, std::byte{0});
    std::fill(area_.begin() + kXsaveHeaderOffset, area_.end(), std::byte{0});
    CKPT_TRY(PutLegacy());
    in_use_ = entry_.has_xsave() ? entry_.xsave().xstate_bv() : kLegacyComponents;
    if (entry_.has_xsave()) CKPT_TRY(PutComponents(entry_.xsave()));
    Put(kXsaveHeaderOffset, in_use_);
    return std::move(area_);
  }

 private:
  template <typename T>
  void Put(size_t offset, T value) {
    std::memcpy(area_.data() + offset, &value, sizeof(value));
  }

  Result<> PutLegacy() {
    if (static_cast<size_t>(entry_.st_space_size()) != kStSpaceWords ||
        static_cast<size_t>(entry_.xmm_space_size()) != kXmmSpaceWords) {
      return MakeError(ErrorCode::kBadFormat,
                       "fpregs: {} words of st_space and {} of xmm_space, expected {} and {}",
                       entry_.st_space_size(), entry_.xmm_space_size(), kStSpaceWords,
                       kXmmSpaceWords);
    }
    Put(0, static_cast<uint16_t>(entry_.cwd()));
    Put(2, static_cast<uint16_t>(entry_.swd()));
    Put(4, static_cast<uint16_t>(entry_.twd()));
    Put(6, static_cast<uint16_t>(entry_.fop()));
    Put(8, uint64_t{entry_.rip()});
    Put(16, uint64_t{entry_.rdp()});
    Put(24, uint32_t{entry_.mxcsr()});
    Put(28, uint32_t{entry_.mxcsr_mask()});
    std::memcpy(area_.data() + kStSpaceOffset, entry_.st_space().data(), 4 * kStSpaceWords);
    std::memcpy(area_.data() + kXmmSpaceOffset, entry_.xmm_space().data(), 4 * kXmmSpaceWords);
    return success();
  }

  Result<> PutComponents(const pb::user_x86_xsave_entry& xsave) {
    CKPT_TRY(PutComponent(XComponent::kAvx, "AVX", xsave.ymmh_space()));
    CKPT_TRY(PutComponent(XComponent::kBndRegs, "MPX bounds", xsave.bndreg_state()));
    CKPT_TRY(PutComponent(XComponent::kBndCsr, "MPX configuration", xsave.bndcsr_state()));
    CKPT_TRY(PutComponent(XComponent::kOpmask, "AVX-512 opmask", xsave.opmask_reg()));
    CKPT_TRY(PutComponent(XComponent::kZmmUpper, "AVX-512 ZMM_Hi256", xsave.zmm_upper()));
    CKPT_TRY(PutComponent(XComponent::kHi16Zmm, "AVX-512 Hi16_ZMM", xsave.hi16_zmm()));
    CKPT_TRY(PutComponent(XComponent::kPkru, "protection keys", xsave.pkru()));
    if (xsave.has_cet() && (xsave.cet().cet() != 0 || xsave.cet().ssp() != 0)) {
      return MakeError(ErrorCode::kUnsupported, "fpregs: a shadow stack is not supported");
    }
    if (const uint64_t unknown = in_use_ & ~(known_ | kLegacyComponents); unknown != 0) {
      return MakeError(ErrorCode::kUnsupported,
                       "fpregs: state components {:#x} are in use and not known", unknown);
    }
    return success();
  }

  template <typename Words>
  Result<> PutComponent(XComponent component, std::string_view name, const Words& words) {
    known_ |= BitOf(component);
    if ((in_use_ & BitOf(component)) == 0) return success();
    const XComponentPlace place = host_.place_of(component);
    if ((host_.components & BitOf(component)) == 0 || place.size_bytes == 0) {
      return MakeError(ErrorCode::kUnsupported,
                       "fpregs: {} state is in use, which this processor does not have", name);
    }
    const Bytes bytes = std::as_bytes(std::span(words.data(), static_cast<size_t>(words.size())));
    if (bytes.size() != place.size_bytes || place.offset > area_.size() ||
        bytes.size() > area_.size() - place.offset) {
      return MakeError(ErrorCode::kBadFormat,
                       "fpregs: {} state of {} bytes, this processor has {} at byte {} of {}", name,
                       bytes.size(), place.size_bytes, place.offset, area_.size());
    }
    std::ranges::copy(bytes, area_.begin() + static_cast<std::ptrdiff_t>(place.offset));
    return success();
  }

  const pb::user_x86_fpregs_entry& entry_;
  std::vector<std::byte> area_;
  const ExtendedStateHost& host_;
  uint64_t in_use_ = 0;
  uint64_t known_ = 0;
};

}  // namespace

Result<std::vector<std::byte>> BuildExtendedState(const pb::user_x86_fpregs_entry& entry,
                                                  std::vector<std::byte> area,
                                                  const ExtendedStateHost& host) {
  return Builder(entry, std::move(area), host).Build();
}

}  // namespace ckpt
