// What a restore is going to do, decided from the images alone: values without processes,
// descriptors or privileges. Built by BuildRestorePlan() (restorer/plan_builder.h).
#ifndef RESTORER_RESTORE_PLAN_H_
#define RESTORER_RESTORE_PLAN_H_

#include <sys/types.h>
#include <sys/user.h>
#include <time.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/proto/arch_x86.pb.h"
#include "formats/proto/sockets.pb.h"
#include "process/remote_ptr.h"
#include "restorer/cgroup_plan.h"
#include "restorer/namespaces_plan.h"

namespace ckpt {

// Who gets the signals of an open file: fcntl(2) F_SETOWN_EX, F_SETSIG.
struct FileOwnerPlan {
  int signal = 0;
  int pid_type = 0;  // F_OWNER_TID, F_OWNER_PID or F_OWNER_PGRP of the kernel's PIDTYPE_*
  pid_t pid = 0;
  uid_t uid = 0;
  uid_t euid = 0;
};

// The time of a timerfd: timerfd_settime(2), and expirations that nobody has read.
struct TimerFilePlan {
  int32_t clock_id = 0;
  int settime_flags = 0;  // TFD_TIMER_*
  uint64_t ticks = 0;
  uint64_t interval_seconds = 0, interval_nanoseconds = 0;
  uint64_t value_seconds = 0, value_nanoseconds = 0;  // until the next expiration

  bool IsArmed() const { return value_seconds != 0 || value_nanoseconds != 0; }
};

// A descriptor that an epoll watches: epoll_ctl(2).
struct WatchPlan {
  int fd = 0;
  uint32_t events = 0;
  uint64_t data = 0;
};

// One open file description.
struct FilePlan {
  enum class Kind {
    kPath,
    kPipe,
    kFifo,
    kEventfd,
    kSignalfd,
    kTimerfd,
    kEpoll,
    kUnixSocket,
    kTerminal
  };

  Kind kind = Kind::kPath;
  uint32_t id = 0;
  std::string place;  // for messages: "files.img entry id 7"
  int flags = 0;      // as open(2) takes them, without those that create or truncate
  std::optional<FileOwnerPlan> owner;

  // kPath, kFifo
  std::string path;                // absolute
  std::optional<uint32_t> mnt_id;  // of its mount, in an own mount namespace
  uint64_t position = 0;
  std::optional<uint64_t> size_bytes;  // what the file must have
  std::optional<mode_t> mode;          // all of st_mode
  uint32_t ghost_id = 0;               // of what it is, or 0: it is found at its path

  // kPipe, kFifo: ends of one kind with the same pipe_id are ends of one pipe.
  uint32_t pipe_id = 0;

  uint64_t counter = 0;            // kEventfd
  uint64_t signal_mask = 0;        // kSignalfd: bit n is signal n + 1
  TimerFilePlan timer;             // kTimerfd
  std::vector<WatchPlan> watches;  // kEpoll
  uint32_t terminal_id = 0;        // kTerminal
};

// A run of bytes of a ghost.
struct GhostChunkPlan {
  uint64_t offset_bytes = 0;
  std::string bytes;
};

// A file that had no name left, and what was in it.
struct GhostPlan {
  uint32_t id = 0;
  std::string place;  // for messages: of a file that is it
  std::string path;   // absolute: what it was called
  mode_t mode = 0;    // all of st_mode
  uid_t uid = 0;
  gid_t gid = 0;
  dev_t device = 0;                                   // of a device
  std::optional<std::array<timespec, 2>> times = {};  // of access and change, for utimensat(2)
  uint64_t size_bytes = 0;
  std::vector<GhostChunkPlan> chunks = {};  // what is between them is holes
};

// A socket of the UNIX family without a name.
struct UnixSocketPlan {
  uint32_t file_id = 0;
  std::string place;
  int flags = 0;
  int type = 0;                     // SOCK_*
  bool is_connected = false;        // to `peer_id`, or to one that is closed where that is 0
  uint32_t peer_id = 0;             // its file
  bool reads_nothing_more = false;  // shutdown(2)
  bool writes_nothing_more = false;
  pb::sk_opts_entry options;
  std::vector<std::string> queue;  // messages that wait to be read, or pieces of a stream
};

// struct termios of the kernel.
struct TermiosPlan {
  uint32_t input_flags = 0, output_flags = 0, control_flags = 0, local_flags = 0;
  uint8_t line = 0;
  std::array<uint8_t, 19> characters{};
};

// A terminal in whose place the restorer's comes.
struct TerminalPlan {
  uint32_t id = 0;
  pid_t session = 0;  // that it controlled
  pid_t foreground_group = 0;
  std::optional<TermiosPlan> settings;
};

// The terminal that controls a session: ioctl_tty(2).
struct ControllingTerminalPlan {
  int fd = 0;  // of who leads the session
  pid_t foreground_group = 0;
};

struct PipePlan {
  uint32_t pipe_id = 0;
  std::optional<uint32_t> capacity_bytes = {};
  std::string content = {};
};

struct DescriptorPlan {
  int fd = 0;
  uint32_t file_id = 0;
  bool close_on_exec = false;
};

// An epoll whose watches are set by the task that has the watched files at their numbers.
struct EpollPlan {
  int fd = 0;  // of the epoll
  uint32_t file_id = 0;
  std::vector<WatchPlan> watches;
};

struct MappingPlan {
  enum class Kind { kAnonymous, kFile, kSharedMemory, kVdso, kVvar };

  Kind kind = Kind::kAnonymous;
  RemoteRange range;
  int protection = 0;
  int flags = 0;  // of mmap(2), without MAP_FIXED
  uint32_t file_id = 0;
  uint64_t shared_id = 0;  // of kSharedMemory
  uint64_t file_offset = 0;
  int file_access = 0;      // O_RDONLY or O_RDWR
  std::vector<int> advice;  // of madvise(2)
  bool has_pages = false;   // a part of it is filled from the dump
};

// `range` is filled from byte `offset_bytes` of pages image `source` (LoadedDump::pages_images).
struct PagesPlan {
  RemoteRange range;
  size_t source = 0;
  uint64_t offset_bytes = 0;
};

// Shared anonymous memory, which the mappings with its id show.
struct SharedMemoryPlan {
  uint64_t id = 0;
  uint64_t size_bytes = 0;
  std::vector<PagesPlan> pages;  // ranges of bytes in it
};

// As prctl(PR_SET_MM_MAP) takes it.
struct MemoryLayoutPlan {
  uint64_t start_code = 0, end_code = 0;
  uint64_t start_data = 0, end_data = 0;
  uint64_t start_brk = 0, brk = 0;
  uint64_t start_stack = 0;
  uint64_t arg_start = 0, arg_end = 0;
  uint64_t env_start = 0, env_end = 0;
  std::vector<uint64_t> auxv;  // without padding after its AT_NULL
  uint32_t exe_file_id = 0;
  std::optional<int> dumpable;
  bool thp_disabled = false;
};

struct AddressSpacePlan {
  std::vector<MappingPlan> mappings;  // ascending, none overlaps another
  std::vector<RemoteRange> guards;    // MADV_GUARD_INSTALL
  std::vector<PagesPlan> pages;       // ascending; without those of the vdso
  std::vector<PagesPlan> vdso_pages;  // ascending
  MemoryLayoutPlan layout;
};

struct SignalActionPlan {
  int signal = 0;
  // struct sigaction of the kernel.
  uint64_t handler = 0;
  uint64_t flags = 0;
  uint64_t restorer = 0;
  uint64_t mask = 0;
};

using SignalInfo = std::array<std::byte, sizeof(siginfo_t)>;

struct IntervalTimerPlan {
  uint64_t interval_seconds = 0, interval_microseconds = 0;
  uint64_t value_seconds = 0, value_microseconds = 0;

  bool IsArmed() const { return value_seconds != 0 || value_microseconds != 0; }
};

struct PosixTimerPlan {
  int32_t id = 0;
  int32_t clock_id = 0;
  int32_t signal = 0;
  int32_t notify = 0;  // SIGEV_*
  pid_t notify_thread = 0;
  uint64_t value = 0;  // sigev_value
  uint64_t interval_seconds = 0, interval_nanoseconds = 0;
  uint64_t value_seconds = 0, value_nanoseconds = 0;

  bool IsArmed() const { return value_seconds != 0 || value_nanoseconds != 0; }
};

struct LimitPlan {
  uint64_t soft = 0;
  uint64_t hard = 0;
};

struct CredentialsPlan {
  uid_t uid = 0, euid = 0, suid = 0, fsuid = 0;
  gid_t gid = 0, egid = 0, sgid = 0, fsgid = 0;
  std::vector<gid_t> groups;
  // Bit n is capability n.
  uint64_t inheritable = 0, permitted = 0, effective = 0, ambient = 0;
  std::optional<uint64_t> bounding;
  uint32_t securebits = 0;
  bool no_new_privileges = false;
};

struct SchedulingPlan {
  int policy = 0;
  int priority = 0;
  int nice = 0;
};

struct AlternateStackPlan {
  uint64_t start = 0;
  uint64_t size_bytes = 0;
  int flags = 0;
};

struct RseqPlan {
  uint64_t abi_pointer = 0;
  uint32_t abi_size_bytes = 0;
  uint32_t signature = 0;
  uint64_t critical_section = 0;  // 0: none
};

struct ThreadPlan {
  pid_t tid = 0;
  std::string comm;
  user_regs_struct registers{};
  pb::user_x86_fpregs_entry extended;
  uint64_t signal_mask = 0;
  std::vector<SignalInfo> pending;
  std::optional<AlternateStackPlan> alternate_stack;
  uint64_t clear_tid_address = 0;
  uint64_t robust_list = 0;
  uint32_t robust_list_bytes = 0;
  std::optional<RseqPlan> rseq;
  std::optional<SchedulingPlan> scheduling;
  int parent_death_signal = 0;
  CredentialsPlan credentials;
};

// Numbers are those of the pid namespace that the process is in.
struct TaskPlan {
  // A helper is nobody in the dump: it leads a session or a group until all members are there.
  enum class State { kAlive, kStopped, kZombie, kHelper };

  pid_t pid = 0;
  pid_t ppid = 0;  // 0 of the root
  pid_t pgid = 0;
  pid_t sid = 0;
  State state = State::kAlive;
  int exit_status = 0;    // kZombie: as waitpid(2) tells it
  uint32_t files_id = 0;  // who has the same shares its descriptors
  uint32_t personality = 0;
  AddressSpacePlan memory;
  std::vector<DescriptorPlan> descriptors;          // ascending
  std::optional<ControllingTerminalPlan> terminal;  // where it leads a session that has one
  std::vector<EpollPlan> epolls;                    // each of the dump in one task
  uint32_t cwd_file_id = 0;
  uint32_t root_file_id = 0;
  std::optional<mode_t> umask;
  std::vector<SignalActionPlan> signal_actions;
  std::vector<SignalInfo> pending;
  std::array<IntervalTimerPlan, 3> interval_timers;  // ITIMER_REAL, _VIRTUAL, _PROF
  std::vector<PosixTimerPlan> posix_timers;          // by id
  std::vector<LimitPlan> limits;                     // by RLIMIT_*
  std::optional<int> oom_score_adj;
  bool child_subreaper = false;
  uint32_t membarrier_registrations = 0;
  std::vector<ThreadPlan> threads;  // the leader first

  // Neither zombie nor helper: it has all of the above.
  bool IsLive() const { return state == State::kAlive || state == State::kStopped; }
};

// A step in making a tree, see tree_plan.h. Tasks are counted from 0, the root.
struct TreeAction {
  enum class Kind { kMake, kLead };  // clone3(2), setsid(2)

  Kind kind = Kind::kMake;
  size_t task = 0;
  // kMake
  size_t maker = 0;
  bool as_sibling = false;  // CLONE_PARENT
  bool shares_descriptors = false;
};

struct RestorePlan {
  NamespacesPlan namespaces;
  CgroupPlan cgroups;
  std::map<uint32_t, FilePlan> files;                  // by id
  std::map<uint32_t, PipePlan> pipes;                  // by pipe_id
  std::map<uint32_t, PipePlan> fifos;                  // by pipe_id
  std::map<uint32_t, GhostPlan> ghosts;                // by ghost_id
  std::map<uint32_t, TerminalPlan> terminals;          // by terminal_id
  std::map<uint32_t, UnixSocketPlan> unix_sockets;     // by file_id
  std::map<uint64_t, SharedMemoryPlan> shared_memory;  // by id
  std::vector<TaskPlan> tasks;                         // parents before children, then helpers
  std::vector<TreeAction> tree;                        // in order
};

}  // namespace ckpt

#endif  // RESTORER_RESTORE_PLAN_H_
