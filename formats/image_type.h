// The table of image types: the one place that knows their names, magics and framing.
// docs/formats.md describes the format.
#ifndef FORMATS_IMAGE_TYPE_H_
#define FORMATS_IMAGE_TYPE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ckpt {

inline constexpr uint32_t kCommonMagic = 0x54564319;
inline constexpr uint32_t kServiceMagic = 0x55105940;

enum class ImageType : uint8_t {
  kInventory,
  kFdinfo,
  kPagemap,
  kShmemPagemap,
  kRegFiles,
  kExtFiles,
  kNsFiles,
  kEventfdFile,
  kEventpollFile,
  kEventpollTfd,
  kSignalfd,
  kInotifyFile,
  kInotifyWd,
  kFanotifyFile,
  kFanotifyMark,
  kCore,
  kIds,
  kMm,
  kVmas,
  kPipes,
  kPipesData,
  kFifo,
  kFifoData,
  kPstree,
  kSigact,
  kUnixsk,
  kInetsk,
  kPacketsk,
  kNetlinkSk,
  kSkQueues,
  kItimers,
  kPosixTimers,
  kCreds,
  kUtsns,
  kIpcVar,
  kIpcnsShm,
  kIpcnsMsg,
  kIpcnsSem,
  kFs,
  kRemapFpath,
  kGhostFile,
  kMemfdInode,
  kTcpStream,
  kMnts,
  kNetdev,
  kNetns,
  kIfaddr,
  kRoute,
  kRoute6,
  kRule,
  kIptables,
  kIp6tables,
  kNftables,
  kTmpfsImg,
  kTmpfsDev,
  kAutofs,
  kBinfmtMiscOld,
  kBinfmtMisc,
  kTtyFiles,
  kTtyInfo,
  kTtyData,
  kFileLocks,
  kRlimit,
  kPages,
  kPagesOld,
  kShmPagesOld,
  kSignal,
  kPsignal,
  kTunfile,
  kCgroup,
  kTimerfd,
  kCpuinfo,
  kSeccomp,
  kUserns,
  kNetnfCt,
  kNetnfExp,
  kFiles,
  kTimens,
  kPidns,
  kBpfmapFile,
  kBpfmapData,
  kApparmor,
  kPidfd,
  kStats,
  kIrmapCache,
  kCkptRaw,
  kPagesZstd,
};

// What the number in the name of an image is the number of. It is written in hexadecimal for
// kInode and kRemap, else in decimal.
enum class ImageId : uint8_t {
  kNone,          // no number: one image in a dump
  kPid,           // a process, or a thread where each has its image
  kFiles,         // a descriptor table, task_kobj_ids_entry.files_id
  kPages,         // pagemap_head.pages_id
  kSharedMemory,  // vma_entry.shmid
  kNamespace,     // the namespace's id in task_kobj_ids_entry
  kInode,         // inet_sk_entry.ino
  kRemap,         // remap_file_path_entry.remap_id
  kDevice,        // mnt_entry.root_dev, in the kernel's encoding (major << 20 | minor)
  kMount,         // mnt_entry.mnt_id
  kStats,         // kStatsOfDump or kStatsOfRestore, as a word
};

inline constexpr uint64_t kStatsOfDump = 0;
inline constexpr uint64_t kStatsOfRestore = 1;

// What comes before the magic of the type, but for images of version 1, where nothing does.
enum class MagicPrefix : uint8_t { kNone, kCommon, kService };

enum class ImageFraming : uint8_t {
  kEntries,          // header, then entries, each a length, a message and its extra
  kHeadThenEntries,  // the same with another message in the first entry
  kRaw,              // no header; the bytes of another format
  kLegacyPages,      // header, then addresses of 8 bytes, each with its page
};

// The bytes after the message of an entry; extra.h tells how many.
enum class ExtraKind : uint8_t {
  kNone,
  kPipeData,
  kPacket,
  kTcpQueues,
  kBpfMap,
  kSharedMemory,
  kMessages,
  kSemaphores,
  kGhost,
};

struct ImageTypeInfo {
  std::string_view name;           // as CRIU's sources and crit spell it
  std::string_view file_template;  // with one printf conversion where there is an id
  std::string_view magic_name;     // of the type that the magic belongs to; shared by some
  std::string_view head_message;   // of the first entry with kHeadThenEntries, else empty
  std::string_view entry_message;  // empty where entries are not messages
  std::string_view doc;            // half a line
  uint32_t magic;                  // 0 for raw types
  ImageType type;
  ImageId id;
  MagicPrefix prefix;
  ImageFraming framing;
  ExtraKind extra;
  bool own = false;  // written by us and ignored by CRIU
};

// All rows, in the order of the enum.
std::span<const ImageTypeInfo> ImageTypes();
const ImageTypeInfo& GetImageType(ImageType type);

struct ImageName {
  ImageType type;
  uint64_t id = 0;  // 0 where there is none

  friend bool operator==(const ImageName&, const ImageName&) = default;
};

// The type and id of a file name without its directory. Nothing for a name that ImageFileName()
// would not give: fdinfo-02.img is no image. pages-N.img is kPages, whatever it holds.
std::optional<ImageName> FindImageTypeByFileName(std::string_view file_name);
// The reverse. An id given to a type without ids is ignored.
std::string ImageFileName(ImageType type, uint64_t id = 0);

// The type that a magic belongs to. Others may share it: SHMEM_PAGEMAP, PAGES_OLD and SHM_PAGES_OLD
// have that of PAGEMAP, PSIGNAL that of SIGNAL, BINFMT_MISC_OLD that of BINFMT_MISC.
std::optional<ImageType> FindImageTypeByMagic(uint32_t magic);
// By its name in the table, as INVENTORY.
std::optional<ImageType> FindImageTypeByName(std::string_view name);

}  // namespace ckpt

#endif  // FORMATS_IMAGE_TYPE_H_
