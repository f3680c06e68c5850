// The framing of images, and what is wrong where it is broken: what readers of all of an image and
// of a stream have in common.
#ifndef FORMATS_IMAGE_FRAMING_H_
#define FORMATS_IMAGE_FRAMING_H_

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "formats/image_type.h"

namespace ckpt {

// Images of version 1 (inventory_entry.img_version) have the magic of their type and nothing
// before it.
enum class HeaderVersion : uint8_t { kOld, kCurrent };

inline constexpr size_t kMagicBytes = 4;
inline constexpr size_t kLengthBytes = 4;   // in front of each message
inline constexpr size_t kAddressBytes = 8;  // in front of each page of ImageFraming::kLegacyPages
inline constexpr size_t kLegacyPageBytes = 4096;

// All kBadFormat. `left` are the bytes that there are, of a whole file or at `offset`.
Error NoMagicError(size_t left, uint64_t offset);
Error NoLengthError(size_t left);
Error NoLegacyPageError(size_t left);
Error LengthError(uint64_t length, uint64_t left);

// Takes the header of an image that is not raw. `read_magic` takes the next four bytes of it, or
// fails with NoMagicError().
template <typename ReadMagic>
Result<HeaderVersion> ReadImageHeader(const ImageTypeInfo& info, ReadMagic read_magic) {
  CKPT_CHECK(info.framing != ImageFraming::kRaw);
  const uint32_t prefix = info.prefix == MagicPrefix::kService ? kServiceMagic : kCommonMagic;
  HeaderVersion version = HeaderVersion::kCurrent;
  uint64_t offset = 0;
  CKPT_TRY(uint32_t magic, read_magic());
  if (info.prefix != MagicPrefix::kNone && magic == prefix) {
    CKPT_TRY(magic, read_magic());
    offset = kMagicBytes;
  } else if (info.prefix != MagicPrefix::kNone) {
    version = HeaderVersion::kOld;
  }
  if (magic == info.magic) return version;
  return MakeError(ErrorCode::kBadFormat, "magic {:#010x} at offset {}, {} has {:#010x}", magic,
                   offset, info.name, info.magic);
}

}  // namespace ckpt

#endif  // FORMATS_IMAGE_FRAMING_H_
