#include "process/statmount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/byte_reader.h"
#include "base/file.h"

namespace ckpt {

namespace {

// Numbers and structs of include/uapi/linux/{mount,nsfs}.h and the x86-64 system call table, Linux
// 6.8 to 6.18.
constexpr int64_t kStatmountCall = 457;
constexpr int64_t kListmountCall = 458;
constexpr uint64_t kGetMountNamespaceId = _IOR(0xb7, 0x5, uint64_t);
constexpr uint64_t kNamespaceRoot = UINT64_MAX;  // LSMT_ROOT

struct MountIdRequest {
  uint32_t size = sizeof(MountIdRequest);
  uint32_t spare = 0;
  uint64_t mnt_id = 0;
  uint64_t param = 0;  // statmount: mask; listmount: the id to go on after
  uint64_t mnt_ns_id = 0;
};
static_assert(sizeof(MountIdRequest) == 32);

enum StatmountBit : uint64_t {
  kSbBasic = 0x1,
  kMntBasic = 0x2,
  kPropagateFrom = 0x4,
  kMntRoot = 0x8,
  kMntPoint = 0x10,
  kFsType = 0x20,
  kMntOpts = 0x80,      // 6.11
  kFsSubtype = 0x100,   // 6.14
  kSbSource = 0x200,    // 6.14
  kSupported = 0x1000,  // 6.15
};

constexpr uint64_t kWanted = kSbBasic | kMntBasic | kPropagateFrom | kMntRoot | kMntPoint |
                             kFsType | kMntOpts | kFsSubtype | kSbSource | kSupported;
// The kernel leaves out of the answer what it does not know, and strings that are empty.
constexpr uint64_t kAlwaysThere =
    kSbBasic | kMntBasic | kMntRoot | kMntPoint | kFsType | kSupported;

// Members of type "offset" count from the end of the struct.
struct StatmountHead {
  uint32_t size;
  uint32_t mnt_opts_offset;
  uint64_t mask;
  uint32_t sb_dev_major;
  uint32_t sb_dev_minor;
  uint64_t sb_magic;
  uint32_t sb_flags;
  uint32_t fs_type_offset;
  uint64_t mnt_id;
  uint64_t mnt_parent_id;
  uint32_t mnt_id_old;
  uint32_t mnt_parent_id_old;
  uint64_t mnt_attr;
  uint64_t mnt_propagation;
  uint64_t mnt_peer_group;
  uint64_t mnt_master;
  uint64_t propagate_from;
  uint32_t mnt_root_offset;
  uint32_t mnt_point_offset;
  uint64_t mnt_ns_id;
  uint32_t fs_subtype_offset;
  uint32_t sb_source_offset;
  uint32_t opt_num;
  uint32_t opt_array_offset;
  uint32_t opt_sec_num;
  uint32_t opt_sec_array_offset;
  uint64_t supported_mask;
  std::array<uint64_t, 45> unused;
};
static_assert(sizeof(StatmountHead) == 512);

// Room for two paths of PATH_MAX and a page of options; a union of many layers has more.
constexpr size_t kFirstBuffer = 16384;
constexpr size_t kLargestBuffer = 16 << 20;

std::string StringAt(Bytes strings, bool there, uint32_t offset) {
  if (!there || offset >= strings.size()) return {};
  const std::string_view rest = AsText(strings.subspan(offset));
  return std::string(rest.substr(0, rest.find('\0')));
}

MountStat ToMountStat(const StatmountHead& head, Bytes strings) {
  const auto string = [&](uint64_t bit, uint32_t offset) {
    return StringAt(strings, (head.mask & bit) != 0, offset);
  };
  MountStat stat;
  stat.dev_major = head.sb_dev_major;
  stat.dev_minor = head.sb_dev_minor;
  stat.sb_flags = head.sb_flags;
  stat.mnt_id_old = head.mnt_id_old;
  stat.parent_id_old = head.mnt_parent_id_old;
  stat.mnt_id = head.mnt_id;
  stat.attributes = head.mnt_attr;
  stat.propagation = head.mnt_propagation;
  stat.peer_group = head.mnt_peer_group;
  stat.master_group = head.mnt_master;
  stat.propagate_from = (head.mask & kPropagateFrom) != 0 ? head.propagate_from : 0;
  stat.fstype = string(kFsType, head.fs_type_offset);
  stat.fs_subtype = string(kFsSubtype, head.fs_subtype_offset);
  stat.root = string(kMntRoot, head.mnt_root_offset);
  stat.mountpoint = string(kMntPoint, head.mnt_point_offset);
  stat.source = string(kSbSource, head.sb_source_offset);
  stat.options = string(kMntOpts, head.mnt_opts_offset);
  return stat;
}

Result<> CheckComplete(const StatmountHead& head) {
  constexpr uint64_t kStrings = kMntOpts | kFsSubtype | kSbSource;
  const bool there = (head.mask & kAlwaysThere) == kAlwaysThere;
  if (there && (head.supported_mask & kStrings) == kStrings) return success();
  return MakeError(ErrorCode::kUnsupported, "statmount answers with mask {:#x} of {:#x}", head.mask,
                   kWanted);
}

}  // namespace

Result<uint64_t> MountNamespaceId(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/ns/mnt", pid);
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY));
  uint64_t id = 0;
  const int result = ioctl(fd.get(), kGetMountNamespaceId, &id);
  const int saved = errno;
  if (result != 0) return ErrnoError(saved, "ioctl({}, NS_GET_MNTNS_ID)", path);
  return id;
}

Result<std::vector<uint64_t>> ListMounts(uint64_t namespace_id) {
  std::vector<uint64_t> ids;
  std::array<uint64_t, 512> chunk;
  MountIdRequest request{.mnt_id = kNamespaceRoot, .mnt_ns_id = namespace_id};
  while (true) {
    const int64_t count = syscall(kListmountCall, &request, chunk.data(), chunk.size(), 0);
    const int saved = errno;
    if (count < 0) return ErrnoError(saved, "listmount(namespace {})", namespace_id);
    ids.insert(ids.end(), chunk.begin(), chunk.begin() + count);
    if (static_cast<size_t>(count) < chunk.size()) return ids;
    request.param = ids.back();
  }
}

Result<MountStat> StatMount(uint64_t namespace_id, uint64_t mnt_id) {
  MountIdRequest request{.mnt_id = mnt_id, .param = kWanted, .mnt_ns_id = namespace_id};
  for (size_t size = kFirstBuffer;; size *= 2) {
    const auto buffer = std::make_unique<std::byte[]>(size);
    const int64_t result = syscall(kStatmountCall, &request, buffer.get(), size, 0);
    const int saved = errno;
    if (result != 0 && saved == EOVERFLOW && size < kLargestBuffer) continue;
    if (result != 0) return ErrnoError(saved, "statmount({}, namespace {})", mnt_id, namespace_id);
    StatmountHead head;
    std::memcpy(&head, buffer.get(), sizeof(head));
    CKPT_TRY(CheckComplete(head));
    return ToMountStat(head, Bytes(buffer.get(), size).subspan(sizeof(head)));
  }
}

}  // namespace ckpt
