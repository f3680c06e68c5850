#include "formats/image_framing.h"

namespace ckpt {

Error NoMagicError(size_t left, uint64_t offset) {
  if (left == 0 && offset == 0) {
    return MakeError(ErrorCode::kBadFormat, "empty file, a magic of {} bytes expected",
                     kMagicBytes);
  }
  return MakeError(ErrorCode::kBadFormat, "{} bytes at offset {}, a magic of {} bytes expected",
                   left, offset, kMagicBytes);
}

Error NoLengthError(size_t left) {
  return MakeError(ErrorCode::kBadFormat, "{} bytes left, a length has {}", left, kLengthBytes);
}

Error NoLegacyPageError(size_t left) {
  return MakeError(ErrorCode::kBadFormat, "{} bytes left, an address and a page have {}", left,
                   kAddressBytes + kLegacyPageBytes);
}

Error LengthError(uint64_t length, uint64_t left) {
  return MakeError(ErrorCode::kBadFormat, "length {} runs {} bytes past the end of the file",
                   length, length - left);
}

}  // namespace ckpt
