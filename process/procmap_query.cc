#include "process/procmap_query.h"

#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string>

namespace ckpt {

namespace {

// struct procmap_query and its constants: include/uapi/linux/fs.h, Linux 6.11.
struct ProcmapQuery {
  uint64_t size = sizeof(ProcmapQuery);
  uint64_t query_flags = 0;
  uint64_t query_addr = 0;
  uint64_t vma_start = 0;
  uint64_t vma_end = 0;
  uint64_t vma_flags = 0;
  uint64_t vma_page_size = 0;
  uint64_t vma_offset = 0;
  uint64_t inode = 0;
  uint32_t dev_major = 0;
  uint32_t dev_minor = 0;
  uint32_t vma_name_size = 0;  // in: room, out: length with the NUL, 0 for no name
  uint32_t build_id_size = 0;
  uint64_t vma_name_addr = 0;
  uint64_t build_id_addr = 0;
};
static_assert(sizeof(ProcmapQuery) == 104);

constexpr uint64_t kProcmapQuery = _IOWR('f', 17, ProcmapQuery);
constexpr uint64_t kReadable = 0x01;
constexpr uint64_t kWritable = 0x02;
constexpr uint64_t kExecutable = 0x04;
constexpr uint64_t kShared = 0x08;
constexpr uint64_t kCoveringOrNext = 0x10;

// d_path writes into one page; " (deleted)" is within it.
using NameBuffer = std::array<char, PATH_MAX>;

Mapping ToMapping(const ProcmapQuery& query, const NameBuffer& name) {
  Mapping mapping;
  mapping.start = query.vma_start;
  mapping.end = query.vma_end;
  mapping.readable = (query.vma_flags & kReadable) != 0;
  mapping.writable = (query.vma_flags & kWritable) != 0;
  mapping.executable = (query.vma_flags & kExecutable) != 0;
  mapping.shared = (query.vma_flags & kShared) != 0;
  mapping.file_offset = query.vma_offset;
  mapping.dev_major = query.dev_major;
  mapping.dev_minor = query.dev_minor;
  mapping.inode = query.inode;
  if (query.vma_name_size > 0) mapping.path.assign(name.data(), query.vma_name_size - 1);
  return mapping;
}

}  // namespace

Result<std::optional<Mapping>> QueryMapping(int maps_fd, std::string_view name, uint64_t address) {
  NameBuffer path;
  ProcmapQuery query;
  query.query_flags = kCoveringOrNext;
  query.query_addr = address;
  query.vma_name_size = path.size();
  query.vma_name_addr = reinterpret_cast<uint64_t>(path.data());
  const int result = ioctl(maps_fd, kProcmapQuery, &query);
  const int saved = errno;
  if (result != 0 && saved == ENOENT) return std::optional<Mapping>();
  if (result != 0) return ErrnoError(saved, "ioctl({}, PROCMAP_QUERY, {:#x})", name, address);
  return std::optional<Mapping>(ToMapping(query, path));
}

}  // namespace ckpt
