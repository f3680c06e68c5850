// The bits of vma_entry.status: what kind of mapping an entry is. Facts of CRIU's format.
#ifndef FORMATS_VMA_STATUS_H_
#define FORMATS_VMA_STATUS_H_

#include <cstdint>

namespace ckpt {

inline constexpr uint32_t kVmaRegular =
    1U << 0;  // a mapping to restore: set in every entry but guards
inline constexpr uint32_t kVmaStack = 1U << 1;
inline constexpr uint32_t kVmaVsyscall = 1U << 2;
inline constexpr uint32_t kVmaVdso = 1U << 3;
inline constexpr uint32_t kVmaHeap = 1U << 5;
inline constexpr uint32_t kVmaFilePrivate = 1U << 6;  // vma_entry.shmid is the id of the file
inline constexpr uint32_t kVmaFileShared = 1U << 7;   // the same
inline constexpr uint32_t kVmaAnonShared = 1U << 8;
inline constexpr uint32_t kVmaAnonPrivate = 1U << 9;
inline constexpr uint32_t kVmaSysvIpc = 1U << 10;
inline constexpr uint32_t kVmaSocket = 1U << 11;
inline constexpr uint32_t kVmaVvar = 1U << 12;
inline constexpr uint32_t kVmaAioRing = 1U << 13;
inline constexpr uint32_t kVmaMemfd = 1U << 14;
inline constexpr uint32_t kVmaShadowStack = 1U << 15;
inline constexpr uint32_t kVmaGuard = 1U << 16;
inline constexpr uint32_t kVmaUprobes = 1U << 17;
inline constexpr uint32_t kVmaUnsupported = 1U << 31;

}  // namespace ckpt

#endif  // FORMATS_VMA_STATUS_H_
