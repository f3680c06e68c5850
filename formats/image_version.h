// inventory_entry.img_version: the version of the images of a dump, and our mark in it that its
// pages are compressed. CRIU refuses every version that it does not know before it reads anything
// else ("Not supported images version"), so that it cannot take such a dump for another.
#ifndef FORMATS_IMAGE_VERSION_H_
#define FORMATS_IMAGE_VERSION_H_

#include <cstdint>

namespace ckpt {

inline constexpr uint32_t kOldestImageVersion = 1;
inline constexpr uint32_t kNewestImageVersion = 2;
// What CRIU after 4.2 writes with pages compressed its own way, which is another one.
inline constexpr uint32_t kCriuCompressedVersion = 3;

// The upper half of the number ("zs"); the lower half is the version without the mark.
inline constexpr uint32_t kZstdVersionMark = 0x7a730000;

constexpr bool SaysZstdPages(uint32_t version) { return (version >> 16) == kZstdVersionMark >> 16; }
constexpr uint32_t WithoutZstdMark(uint32_t version) {
  return SaysZstdPages(version) ? version & 0xffff : version;
}
constexpr uint32_t WithZstdMark(uint32_t version) { return kZstdVersionMark | (version & 0xffff); }

// Whether version and mark are ones that the project reads.
constexpr bool IsKnownImageVersion(uint32_t version) {
  const uint32_t plain = WithoutZstdMark(version);
  return plain >= kOldestImageVersion && plain <= kNewestImageVersion;
}

static_assert(WithoutZstdMark(WithZstdMark(kNewestImageVersion)) == kNewestImageVersion);
static_assert(!SaysZstdPages(kNewestImageVersion) && !IsKnownImageVersion(kCriuCompressedVersion));

}  // namespace ckpt

#endif  // FORMATS_IMAGE_VERSION_H_
