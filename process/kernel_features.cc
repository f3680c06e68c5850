#include "process/kernel_features.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "process/pagemap_scan.h"
#include "process/procmap_query.h"
#include "process/statmount.h"

namespace ckpt {

namespace {

bool HasProcmapQuery() {
  const auto fd = OpenFile("/proc/self/maps", O_RDONLY);
  if (fd.has_error()) return false;
  const auto mapping = QueryMapping(fd.value().get(), "/proc/self/maps", 0);
  return mapping.has_value() && mapping.value();
}

bool HasPagemapScan(PageCategory category) {
  const auto fd = OpenFile("/proc/self/pagemap", O_RDONLY);
  if (fd.has_error()) return false;
  const uint64_t page = reinterpret_cast<uint64_t>(&fd) / kPageSize * kPageSize;
  return ScanPages(fd.value().get(), "/proc/self/pagemap", {page, page + kPageSize},
                   {.any_of = static_cast<uint64_t>(category)}, [](RemoteRange) {})
      .has_value();
}

bool HasStatmount() {
  const auto id = MountNamespaceId(getpid());
  if (id.has_error()) return false;
  const auto mounts = ListMounts(id.value());
  if (mounts.has_error() || mounts.value().empty()) return false;
  return StatMount(id.value(), mounts.value().front()).has_value();
}

}  // namespace

KernelFeatures DetectKernelFeatures() {
  return {
      .procmap_query = HasProcmapQuery(),
      .pagemap_scan = HasPagemapScan(PageCategory::kPresentPage),
      .pagemap_guard = HasPagemapScan(PageCategory::kGuard),
      .statmount = HasStatmount(),
  };
}

}  // namespace ckpt
