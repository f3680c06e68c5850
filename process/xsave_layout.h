// Where the components of the extended processor state lie in the XSAVE area that NT_X86_XSTATE
// gives and takes: the standard (not compacted) form of the Intel SDM, volume 1, chapter 13.
#ifndef PROCESS_XSAVE_LAYOUT_H_
#define PROCESS_XSAVE_LAYOUT_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace ckpt {

// State component numbers: bits of XCR0 and of XSTATE_BV.
enum class XComponent : uint32_t {
  kX87 = 0,
  kSse = 1,
  kAvx = 2,
  kBndRegs = 3,
  kBndCsr = 4,
  kOpmask = 5,
  kZmmUpper = 6,
  kHi16Zmm = 7,
  kPkru = 9,
};

constexpr uint64_t BitOf(XComponent component) {
  return uint64_t{1} << static_cast<uint32_t>(component);
}

inline constexpr size_t kXsaveLegacyBytes = 512;   // the FXSAVE area
inline constexpr size_t kXsaveXcr0Offset = 464;    // in its software-reserved bytes, put by Linux
inline constexpr size_t kXsaveHeaderOffset = 512;  // XSTATE_BV; the header has 64 bytes
inline constexpr size_t kXsaveHeaderBytes = 64;

struct XComponentPlace {
  size_t offset = 0;      // from the start of the area
  size_t size_bytes = 0;  // 0: this processor does not have the component
};

// Of this processor: CPUID leaf 0xd. Of extended components only (numbers from 2 on).
XComponentPlace PlaceOf(XComponent component);

// The components that the operating system enabled (XCR0).
uint64_t EnabledXComponents();

// The size of the standard area for all enabled components, CPUID leaf 0xd, subleaf 0, EBX.
size_t XsaveAreaBytes();

}  // namespace ckpt

#endif  // PROCESS_XSAVE_LAYOUT_H_
