// Kernel interfaces newer than 5.10 that the readers use where the running kernel has them. Each
// reader takes this struct, so that a test, or a user with a broken kernel, can force the fallback.
#ifndef PROCESS_KERNEL_FEATURES_H_
#define PROCESS_KERNEL_FEATURES_H_

namespace ckpt {

struct KernelFeatures {
  bool procmap_query = false;  // ioctl PROCMAP_QUERY on /proc/PID/maps, 6.11
  bool pagemap_scan = false;   // ioctl PAGEMAP_SCAN on /proc/PID/pagemap, 6.7
  bool pagemap_guard = false;  // PAGE_IS_GUARD in it and bit 58 of pagemap entries, 6.15
  // statmount(2) and listmount(2) with all that mountinfo shows: they are of 6.8, other namespaces
  // and options came in 6.11, source and subtype in 6.14, the mask that tells so in 6.15
  bool statmount = false;

  bool operator==(const KernelFeatures&) const = default;
};

// Tries each interface on the calling process. What the kernel refuses, for whatever reason (too
// old, a seccomp filter), is off.
KernelFeatures DetectKernelFeatures();

// All off: what a 5.10 kernel has.
constexpr KernelFeatures FallbackKernelFeatures() { return {}; }

}  // namespace ckpt

#endif  // PROCESS_KERNEL_FEATURES_H_
