#include "formats/image_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <limits>

#include "base/result.h"

namespace ckpt {
namespace {

using Type = ImageType;
using Id = ImageId;
using Prefix = MagicPrefix;
using Framing = ImageFraming;
using Extra = ExtraKind;
using Text = std::string_view;

constexpr ImageTypeInfo Entries(Type type, Text name, Text file_template, Id id, uint32_t magic,
                                Text message, Text doc) {
  return {.name = name,
          .file_template = file_template,
          .magic_name = name,
          .head_message = {},
          .entry_message = message,
          .doc = doc,
          .magic = magic,
          .type = type,
          .id = id,
          .prefix = Prefix::kCommon,
          .framing = Framing::kEntries,
          .extra = Extra::kNone};
}

constexpr ImageTypeInfo AfterHead(Text head_message, ImageTypeInfo row) {
  row.framing = Framing::kHeadThenEntries;
  row.head_message = head_message;
  return row;
}

constexpr ImageTypeInfo WithExtra(Extra extra, ImageTypeInfo row) {
  row.extra = extra;
  return row;
}

constexpr ImageTypeInfo Prefixed(Prefix prefix, ImageTypeInfo row) {
  row.prefix = prefix;
  return row;
}

constexpr ImageTypeInfo SharingMagic(Text magic_name, ImageTypeInfo row) {
  row.magic_name = magic_name;
  return row;
}

constexpr ImageTypeInfo Own(ImageTypeInfo row) {
  row.own = true;
  return row;
}

constexpr ImageTypeInfo Raw(Type type, Text name, Text file_template, Id id, Text doc) {
  ImageTypeInfo row = Prefixed(Prefix::kNone, Entries(type, name, file_template, id, 0, {}, doc));
  row.magic_name = {};
  row.framing = Framing::kRaw;
  return row;
}

constexpr ImageTypeInfo OldPages(Type type, Text name, Text file_template, Id id) {
  ImageTypeInfo row =
      Entries(type, name, file_template, id, 0x56084025, {}, "legacy, now PAGES with a pagemap");
  row.magic_name = "PAGEMAP";
  row.framing = Framing::kLegacyPages;
  return row;
}

constexpr ImageTypeInfo kTable[] = {
    Prefixed(Prefix::kNone, Entries(Type::kInventory, "INVENTORY", "inventory.img", Id::kNone,
                                    0x58313116, "inventory_entry", "what kind of dump this is")),
    Entries(Type::kFdinfo, "FDINFO", "fdinfo-%u.img", Id::kFiles, 0x56213732, "fdinfo_entry",
            "the descriptors of a descriptor table"),
    AfterHead("pagemap_head",
              Entries(Type::kPagemap, "PAGEMAP", "pagemap-%lu.img", Id::kPid, 0x56084025,
                      "pagemap_entry", "which pages of a task the dump has")),
    SharingMagic("PAGEMAP",
                 AfterHead("pagemap_head",
                           Entries(Type::kShmemPagemap, "SHMEM_PAGEMAP", "pagemap-shmem-%lu.img",
                                   Id::kSharedMemory, 0x56084025, "pagemap_entry",
                                   "which pages of a shared memory the dump has"))),
    Entries(Type::kRegFiles, "REG_FILES", "reg-files.img", Id::kNone, 0x50363636, "reg_file_entry",
            "legacy, now in FILES"),
    Entries(Type::kExtFiles, "EXT_FILES", "ext-files.img", Id::kNone, 0x59255641, "ext_file_entry",
            "legacy, now in FILES"),
    Entries(Type::kNsFiles, "NS_FILES", "ns-files.img", Id::kNone, 0x61394011, "ns_file_entry",
            "legacy, now in FILES"),
    Entries(Type::kEventfdFile, "EVENTFD_FILE", "eventfd.img", Id::kNone, 0x44523722,
            "eventfd_file_entry", "legacy, now in FILES"),
    Entries(Type::kEventpollFile, "EVENTPOLL_FILE", "eventpoll.img", Id::kNone, 0x45023858,
            "eventpoll_file_entry", "legacy, now in FILES"),
    Entries(Type::kEventpollTfd, "EVENTPOLL_TFD", "eventpoll-tfd.img", Id::kNone, 0x44433746,
            "eventpoll_tfd_entry", "legacy, now in FILES"),
    Entries(Type::kSignalfd, "SIGNALFD", "signalfd.img", Id::kNone, 0x57323820, "signalfd_entry",
            "legacy, now in FILES"),
    Entries(Type::kInotifyFile, "INOTIFY_FILE", "inotify.img", Id::kNone, 0x48424431,
            "inotify_file_entry", "legacy, now in FILES"),
    Entries(Type::kInotifyWd, "INOTIFY_WD", "inotify-wd.img", Id::kNone, 0x54562009,
            "inotify_wd_entry", "legacy, now in FILES"),
    Entries(Type::kFanotifyFile, "FANOTIFY_FILE", "fanotify.img", Id::kNone, 0x55096122,
            "fanotify_file_entry", "legacy, now in FILES"),
    Entries(Type::kFanotifyMark, "FANOTIFY_MARK", "fanotify-mark.img", Id::kNone, 0x56506035,
            "fanotify_mark_entry", "legacy, now in FILES"),
    Entries(Type::kCore, "CORE", "core-%u.img", Id::kPid, 0x55053847, "core_entry",
            "registers and state of a thread"),
    Entries(Type::kIds, "IDS", "ids-%u.img", Id::kPid, 0x54432030, "task_kobj_ids_entry",
            "which objects a task shares with others"),
    Entries(Type::kMm, "MM", "mm-%u.img", Id::kPid, 0x57492820, "mm_entry",
            "the mappings of a task"),
    Entries(Type::kVmas, "VMAS", "vmas-%u.img", Id::kPid, 0x54123737, "vma_entry",
            "legacy, now in MM"),
    Entries(Type::kPipes, "PIPES", "pipes.img", Id::kNone, 0x56513555, "pipe_entry",
            "legacy, now in FILES"),
    WithExtra(Extra::kPipeData, Entries(Type::kPipesData, "PIPES_DATA", "pipes-data.img", Id::kNone,
                                        0x56453709, "pipe_data_entry", "what pipes hold")),
    Entries(Type::kFifo, "FIFO", "fifo.img", Id::kNone, 0x58364939, "fifo_entry",
            "legacy, now in FILES"),
    WithExtra(Extra::kPipeData, Entries(Type::kFifoData, "FIFO_DATA", "fifo-data.img", Id::kNone,
                                        0x59333054, "pipe_data_entry", "what FIFOs hold")),
    Entries(Type::kPstree, "PSTREE", "pstree.img", Id::kNone, 0x50273030, "pstree_entry",
            "the tree of processes"),
    Entries(Type::kSigact, "SIGACT", "sigacts-%u.img", Id::kPid, 0x55344201, "sa_entry",
            "legacy, now in CORE"),
    Entries(Type::kUnixsk, "UNIXSK", "unixsk.img", Id::kNone, 0x54373943, "unix_sk_entry",
            "legacy, now in FILES"),
    Entries(Type::kInetsk, "INETSK", "inetsk.img", Id::kNone, 0x56443851, "inet_sk_entry",
            "legacy, now in FILES"),
    Entries(Type::kPacketsk, "PACKETSK", "packetsk.img", Id::kNone, 0x60454618, "packet_sock_entry",
            "legacy, now in FILES"),
    Entries(Type::kNetlinkSk, "NETLINK_SK", "netlinksk.img", Id::kNone, 0x58005614,
            "netlink_sk_entry", "legacy, now in FILES"),
    WithExtra(Extra::kPacket,
              Entries(Type::kSkQueues, "SK_QUEUES", "sk-queues.img", Id::kNone, 0x56264026,
                      "sk_packet_entry", "packets in the receive queues of sockets")),
    Entries(Type::kItimers, "ITIMERS", "itimers-%u.img", Id::kPid, 0x57464056, "itimer_entry",
            "legacy, now in CORE"),
    Entries(Type::kPosixTimers, "POSIX_TIMERS", "posix-timers-%u.img", Id::kPid, 0x52603957,
            "posix_timer_entry", "legacy, now in CORE"),
    Entries(Type::kCreds, "CREDS", "creds-%u.img", Id::kPid, 0x54023547, "creds_entry",
            "legacy, now in CORE"),
    Entries(Type::kUtsns, "UTSNS", "utsns-%u.img", Id::kNamespace, 0x54473203, "utsns_entry",
            "host and domain name"),
    Entries(Type::kIpcVar, "IPC_VAR", "ipcns-var-%u.img", Id::kNamespace, 0x53115007,
            "ipc_var_entry", "sysctls of an IPC namespace"),
    WithExtra(Extra::kSharedMemory,
              Entries(Type::kIpcnsShm, "IPCNS_SHM", "ipcns-shm-%u.img", Id::kNamespace, 0x46283044,
                      "ipc_shm_entry", "System V shared memory")),
    WithExtra(Extra::kMessages,
              Entries(Type::kIpcnsMsg, "IPCNS_MSG", "ipcns-msg-%u.img", Id::kNamespace, 0x55453737,
                      "ipc_msg_entry", "System V message queues")),
    WithExtra(Extra::kSemaphores,
              Entries(Type::kIpcnsSem, "IPCNS_SEM", "ipcns-sem-%u.img", Id::kNamespace, 0x59573019,
                      "ipc_sem_entry", "System V semaphores")),
    Entries(Type::kFs, "FS", "fs-%u.img", Id::kPid, 0x51403912, "fs_entry",
            "working directory, root and umask"),
    Entries(Type::kRemapFpath, "REMAP_FPATH", "remap-fpath.img", Id::kNone, 0x59133954,
            "remap_file_path_entry", "what stands in for files without a path"),
    WithExtra(Extra::kGhost,
              AfterHead("ghost_file_entry",
                        Entries(Type::kGhostFile, "GHOST_FILE", "ghost-file-%x.img", Id::kRemap,
                                0x52583605, "ghost_chunk_entry", "a file without a name"))),
    Entries(Type::kMemfdInode, "MEMFD_INODE", "memfd.img", Id::kNone, 0x48453499,
            "memfd_inode_entry", "memfds"),
    WithExtra(Extra::kTcpQueues,
              Entries(Type::kTcpStream, "TCP_STREAM", "tcp-stream-%x.img", Id::kInode, 0x51465506,
                      "tcp_stream_entry", "a TCP connection and its queues")),
    Entries(Type::kMnts, "MNTS", "mountpoints-%u.img", Id::kNamespace, 0x55563928, "mnt_entry",
            "the mounts of a namespace"),
    Entries(Type::kNetdev, "NETDEV", "netdev-%u.img", Id::kNamespace, 0x57373951,
            "net_device_entry", "the devices of a network namespace"),
    Entries(Type::kNetns, "NETNS", "netns-%u.img", Id::kNamespace, 0x55933752, "netns_entry",
            "sysctls of a network namespace"),
    Raw(Type::kIfaddr, "IFADDR", "ifaddr-%u.img", Id::kNamespace, "output of ip addr save"),
    Raw(Type::kRoute, "ROUTE", "route-%u.img", Id::kNamespace, "output of ip route save"),
    Raw(Type::kRoute6, "ROUTE6", "route6-%u.img", Id::kNamespace, "output of ip -6 route save"),
    Raw(Type::kRule, "RULE", "rule-%u.img", Id::kNamespace, "output of ip rule save"),
    Raw(Type::kIptables, "IPTABLES", "iptables-%u.img", Id::kNamespace, "output of iptables-save"),
    Raw(Type::kIp6tables, "IP6TABLES", "ip6tables-%u.img", Id::kNamespace,
        "output of ip6tables-save"),
    Raw(Type::kNftables, "NFTABLES", "nftables-%u.img", Id::kNamespace,
        "output of nft list ruleset"),
    Raw(Type::kTmpfsImg, "TMPFS_IMG", "tmpfs-%u.tar.gz.img", Id::kMount,
        "content of a tmpfs, by mount"),
    Raw(Type::kTmpfsDev, "TMPFS_DEV", "tmpfs-dev-%u.tar.gz.img", Id::kDevice,
        "content of a tmpfs, by device"),
    Entries(Type::kAutofs, "AUTOFS", "autofs-%u.img", Id::kDevice, 0x49353943, "autofs_entry",
            "the daemon of an autofs mount"),
    SharingMagic("BINFMT_MISC",
                 Entries(Type::kBinfmtMiscOld, "BINFMT_MISC_OLD", "binfmt-misc-%u.img", Id::kDevice,
                         0x67343323, "binfmt_misc_entry", "legacy, now in BINFMT_MISC")),
    Entries(Type::kBinfmtMisc, "BINFMT_MISC", "binfmt-misc.img", Id::kNone, 0x67343323,
            "binfmt_misc_entry", "registered binary formats"),
    Entries(Type::kTtyFiles, "TTY_FILES", "tty.img", Id::kNone, 0x59433025, "tty_file_entry",
            "legacy, now in FILES"),
    Entries(Type::kTtyInfo, "TTY_INFO", "tty-info.img", Id::kNone, 0x59453036, "tty_info_entry",
            "terminals"),
    Entries(Type::kTtyData, "TTY_DATA", "tty-data.img", Id::kNone, 0x59413026, "tty_data_entry",
            "what terminals hold"),
    Entries(Type::kFileLocks, "FILE_LOCKS", "filelocks.img", Id::kNone, 0x54323616,
            "file_lock_entry", "locks on files"),
    Entries(Type::kRlimit, "RLIMIT", "rlimit-%u.img", Id::kPid, 0x57113925, "rlimit_entry",
            "legacy, now in CORE"),
    Raw(Type::kPages, "PAGES", "pages-%u.img", Id::kPages, "the pages of one pagemap"),
    OldPages(Type::kPagesOld, "PAGES_OLD", "pages-%d.img", Id::kPid),
    OldPages(Type::kShmPagesOld, "SHM_PAGES_OLD", "pages-shmem-%ld.img", Id::kSharedMemory),
    Entries(Type::kSignal, "SIGNAL", "signal-s-%u.img", Id::kPid, 0x59255647, "siginfo_entry",
            "legacy, now in CORE"),
    SharingMagic("SIGNAL", Entries(Type::kPsignal, "PSIGNAL", "signal-p-%u.img", Id::kPid,
                                   0x59255647, "siginfo_entry", "legacy, now in CORE")),
    Entries(Type::kTunfile, "TUNFILE", "tunfile.img", Id::kNone, 0x57143751, "tunfile_entry",
            "legacy, now in FILES"),
    Entries(Type::kCgroup, "CGROUP", "cgroup.img", Id::kNone, 0x59383330, "cgroup_entry",
            "control groups"),
    Entries(Type::kTimerfd, "TIMERFD", "timerfd.img", Id::kNone, 0x50493712, "timerfd_entry",
            "legacy, now in FILES"),
    Entries(Type::kCpuinfo, "CPUINFO", "cpuinfo.img", Id::kNone, 0x61404013, "cpuinfo_entry",
            "what the processor could do"),
    Entries(Type::kSeccomp, "SECCOMP", "seccomp.img", Id::kNone, 0x64413049, "seccomp_entry",
            "seccomp filters"),
    Entries(Type::kUserns, "USERNS", "userns-%u.img", Id::kNamespace, 0x55474906, "userns_entry",
            "maps of a user namespace"),
    Raw(Type::kNetnfCt, "NETNF_CT", "netns-ct-%u.img", Id::kNamespace,
        "connection tracking, as netlink messages"),
    Raw(Type::kNetnfExp, "NETNF_EXP", "netns-exp-%u.img", Id::kNamespace,
        "expected connections, as netlink messages"),
    Entries(Type::kFiles, "FILES", "files.img", Id::kNone, 0x56303138, "file_entry",
            "the open file descriptions"),
    Entries(Type::kTimens, "TIMENS", "timens-%u.img", Id::kNamespace, 0x43114433, "timens_entry",
            "clock offsets of a time namespace"),
    Entries(Type::kPidns, "PIDNS", "pidns-%u.img", Id::kNamespace, 0x61157326, "pidns_entry",
            "an external PID namespace"),
    Entries(Type::kBpfmapFile, "BPFMAP_FILE", "bpfmap-file.img", Id::kNone, 0x57506142,
            "bpfmap_file_entry", "legacy, now in FILES"),
    WithExtra(Extra::kBpfMap,
              Entries(Type::kBpfmapData, "BPFMAP_DATA", "bpfmap-data.img", Id::kNone, 0x64324033,
                      "bpfmap_data_entry", "keys and values of BPF maps")),
    Entries(Type::kApparmor, "APPARMOR", "apparmor.img", Id::kNone, 0x59423047, "apparmor_entry",
            "AppArmor policies"),
    Entries(Type::kPidfd, "PIDFD", "pidfd.img", Id::kNone, 0x54435556, "pidfd_entry",
            "legacy, now in FILES"),
    Prefixed(Prefix::kService, Entries(Type::kStats, "STATS", "stats-%s", Id::kStats, 0x57093306,
                                       "stats_entry", "how long it took")),
    Prefixed(Prefix::kService, Entries(Type::kIrmapCache, "IRMAP_CACHE", "irmap-cache", Id::kNone,
                                       0x57004059, "irmap_cache_entry", "paths of watched inodes")),
    // The magic reads "CKPT" in a dump of the file.
    Own(Entries(Type::kCkptRaw, "CKPT_RAW", "ckpt-raw.img", Id::kNone, 0x54504b43, "raw_fact_entry",
                "facts that CRIU's format has no place for")),
    Own(Raw(Type::kPagesZstd, "PAGES_ZSTD", "pages-%u.img.zst", Id::kPages,
            "the pages of one pagemap, compressed")),
};

constexpr bool RowsFollowTheEnum() {
  for (size_t i = 0; i < std::size(kTable); ++i) {
    if (static_cast<size_t>(kTable[i].type) != i) return false;
  }
  return std::size(kTable) == static_cast<size_t>(Type::kPagesZstd) + 1;
}
static_assert(RowsFollowTheEnum());

constexpr bool OwnsItsMagic(const ImageTypeInfo& row) { return row.name == row.magic_name; }

constexpr bool IsRaw(const ImageTypeInfo& row) { return row.framing == Framing::kRaw; }

// A magic has one owner, and who shares it names the owner.
constexpr bool MagicsAreOwned() {
  for (const ImageTypeInfo& row : kTable) {
    if (row.magic == kCommonMagic || row.magic == kServiceMagic) return false;
    for (const ImageTypeInfo& other : kTable) {
      if (IsRaw(row) || IsRaw(other)) continue;
      if ((row.magic == other.magic) != (row.magic_name == other.magic_name)) return false;
      if (&row != &other && OwnsItsMagic(row) && row.name == other.name) return false;
    }
  }
  return true;
}
static_assert(MagicsAreOwned());

constexpr bool ColumnsAgree() {
  return std::ranges::all_of(kTable, [](const ImageTypeInfo& row) {
    bool has_id = row.file_template.find('%') != Text::npos;
    bool has_messages = row.framing == Framing::kEntries || !row.head_message.empty();
    return has_id == (row.id != Id::kNone) && IsRaw(row) == (row.magic == 0) &&
           has_messages == !row.entry_message.empty() && !row.doc.empty() &&
           (row.framing == Framing::kHeadThenEntries) == !row.head_message.empty();
  });
}
static_assert(ColumnsAgree());

constexpr std::array<Text, 2> kStatsWords = {"dump", "restore"};

// A file template taken apart at its conversion.
struct NamePattern {
  Text stem;
  Text conversion;  // without the '%'; empty where there is none
  Text suffix;
};

NamePattern PatternOf(const ImageTypeInfo& row) {
  Text text = row.file_template;
  size_t percent = text.find('%');
  if (percent == Text::npos) return {.stem = text, .conversion = {}, .suffix = {}};
  size_t letter = text.find_first_of("udxs", percent);
  return {.stem = text.substr(0, percent),
          .conversion = text.substr(percent + 1, letter - percent),
          .suffix = text.substr(letter + 1)};
}

std::string SpellId(const NamePattern& pattern, uint64_t id) {
  if (pattern.conversion.empty()) return "";
  if (pattern.conversion == "s") return std::string(kStatsWords[id == kStatsOfDump ? 0 : 1]);
  return pattern.conversion == "x" ? fmt::format("{:x}", id) : fmt::format("{}", id);
}

std::optional<uint64_t> ParseId(const NamePattern& pattern, Text text) {
  uint64_t id = 0;
  if (pattern.conversion == "s") {
    const auto* word = std::ranges::find(kStatsWords, text);
    if (word == kStatsWords.end()) return std::nullopt;
    id = static_cast<uint64_t>(word - kStatsWords.begin());
  } else if (!pattern.conversion.empty()) {
    int base = pattern.conversion == "x" ? 16 : 10;
    std::from_chars(text.data(), text.data() + text.size(), id, base);
    bool is_long = pattern.conversion.starts_with('l');
    if (!is_long && id > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  }
  // One spelling for each id: neither signs nor leading zeros nor what does not belong to a number.
  if (SpellId(pattern, id) != text) return std::nullopt;
  return id;
}

std::optional<uint64_t> MatchName(const NamePattern& pattern, Text file_name) {
  if (file_name.size() < pattern.stem.size() + pattern.suffix.size()) return std::nullopt;
  if (!file_name.starts_with(pattern.stem) || !file_name.ends_with(pattern.suffix)) {
    return std::nullopt;
  }
  file_name.remove_prefix(pattern.stem.size());
  file_name.remove_suffix(pattern.suffix.size());
  return ParseId(pattern, file_name);
}

template <typename Predicate>
std::optional<ImageType> FindType(Predicate predicate) {
  const auto* row = std::ranges::find_if(kTable, predicate);
  if (row == std::end(kTable)) return std::nullopt;
  return row->type;
}

}  // namespace

std::span<const ImageTypeInfo> ImageTypes() { return kTable; }

const ImageTypeInfo& GetImageType(ImageType type) {
  auto row = static_cast<size_t>(type);
  CKPT_CHECK(row < std::size(kTable));
  return kTable[row];
}

std::optional<ImageName> FindImageTypeByFileName(std::string_view file_name) {
  for (const ImageTypeInfo& row : kTable) {
    if (auto id = MatchName(PatternOf(row), file_name)) return ImageName{row.type, *id};
  }
  return std::nullopt;
}

std::string ImageFileName(ImageType type, uint64_t id) {
  NamePattern pattern = PatternOf(GetImageType(type));
  return fmt::format("{}{}{}", pattern.stem, SpellId(pattern, id), pattern.suffix);
}

std::optional<ImageType> FindImageTypeByMagic(uint32_t magic) {
  return FindType([&](const ImageTypeInfo& row) {
    return !IsRaw(row) && row.magic == magic && OwnsItsMagic(row);
  });
}

std::optional<ImageType> FindImageTypeByName(std::string_view name) {
  return FindType([&](const ImageTypeInfo& row) { return row.name == name; });
}

}  // namespace ckpt
