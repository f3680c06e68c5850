#include "formats/check/sample_container.h"

#include <sys/stat.h>

#include <utility>

#include "formats/pagemap.h"
#include "formats/proto/bpf.pb.h"
#include "formats/proto/cgroup.pb.h"
#include "formats/proto/event_files.pb.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "formats/proto/network.pb.h"
#include "formats/proto/notify.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "formats/proto/security.pb.h"
#include "formats/proto/sockets.pb.h"
#include "formats/proto/sockets_inet.pb.h"
#include "formats/proto/sockets_unix.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/proto/tty.pb.h"
#include "formats/vma_status.h"

namespace ckpt {

namespace {

constexpr uint32_t kTmpfsDevice = 0x30;
constexpr uint32_t kRootDevice = 0x20;
constexpr uint64_t kDataStart = 0x10000;
constexpr uint64_t kVdsoStart = 0x7000000;
constexpr uint64_t kVvarStart = 0x6000000;
constexpr uint64_t kRingStart = 0x5000000;
constexpr uint32_t kSharedMemory = 500;
constexpr uint32_t kMemoryFile = 501;
constexpr uint32_t kSegment = 502;

class Builder {
 public:
  SampleContainer Build() {
    AddInventory();
    AddTasks();
    AddMemory(1);
    AddMemory(3);
    AddSharedMemory();
    AddParent();
    AddRegularFiles();
    AddPipesAndTerminals();
    AddSockets();
    AddWatches();
    AddMemoryFiles();
    AddDescriptors();
    AddRemaps();
    AddNamespaces();
    AddMounts();
    AddCgroups();
    return std::move(container_);
  }

 private:
  MemoryDump& dump() { return container_.dump; }

  static pb::task_kobj_ids_entry Ids(uint32_t base, uint32_t files_id) {
    pb::task_kobj_ids_entry ids;
    ids.set_files_id(files_id);
    ids.set_pid_ns_id(base + 1);
    ids.set_net_ns_id(base + 2);
    ids.set_ipc_ns_id(base + 3);
    ids.set_uts_ns_id(base + 4);
    ids.set_mnt_ns_id(base + 5);
    ids.set_user_ns_id(base + 6);
    return ids;
  }

  void AddInventory() {
    pb::inventory_entry inventory;
    inventory.set_img_version(2);
    inventory.set_fdinfo_per_id(true);
    *inventory.mutable_root_ids() = Ids(0, 9);
    inventory.set_root_cg_set(7);
    dump().Add(ImageType::kInventory, 0, inventory);
  }

  void AddTask(uint32_t pid, uint32_t ppid, const std::vector<uint32_t>& threads) {
    pb::pstree_entry task;
    task.set_pid(pid);
    task.set_ppid(ppid);
    task.set_pgid(1);
    task.set_sid(1);
    for (const uint32_t tid : threads) task.add_threads(tid);
    dump().Add(ImageType::kPstree, 0, task);
  }

  static pb::core_entry Core() {
    pb::core_entry core;
    core.set_mtype(pb::core_entry::X86_64);
    core.mutable_thread_info();
    pb::thread_core_entry& thread = *core.mutable_thread_core();
    thread.mutable_creds();
    thread.set_seccomp_mode(pb::filter);
    thread.set_seccomp_filter(1);
    thread.set_cg_set(1);
    thread.mutable_signals_p()->add_signals()->set_siginfo(std::string(128, '\0'));
    return core;
  }

  void AddLeader(uint32_t pid) {
    pb::core_entry core = Core();
    pb::task_core_entry& task = *core.mutable_tc();
    task.set_task_state(1);
    task.set_cg_set(1);
    task.mutable_rlimits();
    pb::posix_timer_entry& timer = *task.mutable_timers()->add_posix();
    timer.set_notify_thread_id(static_cast<int32_t>(pid));
    for (int i = 0; i < 62; ++i) task.add_sigactions();
    dump().Add(ImageType::kCore, pid, core);
    dump().Add(ImageType::kIds, pid, Ids(10, pid));
    pb::fs_entry fs;
    fs.set_cwd_id(2);
    fs.set_root_id(2);
    dump().Add(ImageType::kFs, pid, fs);
  }

  void AddTasks() {
    AddTask(1, 0, {1, 2});
    AddTask(3, 1, {3});
    AddTask(4, 1, {0xdeadbeef});
    AddLeader(1);
    AddLeader(3);
    dump().Add(ImageType::kCore, 2, Core());
    pb::core_entry dead;
    dead.set_mtype(pb::core_entry::X86_64);
    dead.mutable_tc()->set_task_state(2);
    dump().Add(ImageType::kCore, 4, dead);
    pb::seccomp_entry seccomp;
    seccomp.add_seccomp_filters();
    seccomp.add_seccomp_filters()->set_prev(0);
    dump().Add(ImageType::kSeccomp, 0, seccomp);
  }

  static void AddVma(pb::mm_entry& mm, uint64_t start, uint64_t pages, uint32_t status,
                     uint64_t shmid = 0) {
    pb::vma_entry& vma = *mm.add_vmas();
    vma.set_start(start);
    vma.set_end(start + pages * kPageBytes);
    vma.set_status(kVmaRegular | status);
    vma.set_shmid(shmid);
    vma.set_fd(-1);
  }

  void AddPages(MemoryDump& dump, ImageType type, uint32_t id, uint32_t pages_id,
                const std::vector<pb::pagemap_entry>& entries) {
    pb::pagemap_head head;
    head.set_pages_id(pages_id);
    dump.Add(type, id, head);
    uint64_t present = 0;
    for (const pb::pagemap_entry& entry : entries) {
      dump.Add(type, id, entry);
      if ((entry.flags() & kPagesPresent) != 0) present += entry.nr_pages();
    }
    dump.Set(ImageType::kPages, pages_id, std::string(present * kPageBytes, 'p'));
  }

  void AddMemory(uint32_t pid) {
    pb::mm_entry mm;
    mm.set_mm_start_code(kDataStart);
    mm.set_mm_end_code(kDataStart + 1);
    mm.set_exe_file_id(1);
    AddVma(mm, kDataStart, 4, kVmaFilePrivate, 1);
    AddVma(mm, kDataStart + 0x4000, 4, kVmaAnonPrivate);
    AddVma(mm, 0x100000, 2, kVmaAnonShared, kSharedMemory);
    AddVma(mm, 0x200000, 2, kVmaAnonShared | kVmaSysvIpc, kSegment);
    AddVma(mm, kRingStart, 1, kVmaAioRing | kVmaAnonShared);
    AddVma(mm, kVvarStart, 4, kVmaAnonPrivate | kVmaVvar);
    AddVma(mm, kVdsoStart, 2, kVmaAnonPrivate | kVmaVdso);
    mm.add_aios()->set_id(kRingStart);
    dump().Add(ImageType::kMm, pid, mm);
    AddPages(dump(), ImageType::kPagemap, pid, pid,
             {MakePagemapEntry(kDataStart, 2, kPagesPresent),
              MakePagemapEntry(kDataStart + 0x4000, 2, kPagesInParent),
              MakePagemapEntry(kVdsoStart, 2, kPagesPresent)});
  }

  void AddSharedMemory() {
    for (const uint32_t id : {kSharedMemory, kMemoryFile, kSegment}) {
      AddPages(dump(), ImageType::kShmemPagemap, id, id, {MakePagemapEntry(0, 1, kPagesPresent)});
    }
  }

  void AddParent() {
    for (const uint32_t pid : {1U, 3U}) {
      AddPages(container_.parent, ImageType::kPagemap, pid, pid,
               {MakePagemapEntry(kDataStart, 16, kPagesPresent)});
    }
  }

  pb::file_entry File(uint32_t id, pb::fd_types type) {
    pb::file_entry file;
    file.set_type(type);
    file.set_id(id);
    return file;
  }
  void AddFile(const pb::file_entry& file) { dump().Add(ImageType::kFiles, 0, file); }

  void AddRegular(uint32_t id, const char* name) {
    pb::file_entry file = File(id, pb::REG);
    file.mutable_reg()->set_id(id);
    file.mutable_reg()->set_name(name);
    file.mutable_reg()->set_mnt_id(101);
    AddFile(file);
  }

  void AddRegularFiles() {
    AddRegular(1, "/bin/app");
    AddRegular(2, "/");
    AddRegular(6, "/run/fifo");
    AddRegular(8, "/dev/pts/0");
    AddRegular(17, "/tmp/deleted");
    pb::raw_fact_entry fact;
    fact.mutable_mapping()->set_reg_file_id(1);
    dump().Add(ImageType::kCkptRaw, 0, fact);
  }

  void AddPipesAndTerminals() {
    for (const auto& [id, flags] : {std::pair(3U, 0U), std::pair(4U, 1U)}) {
      pb::file_entry file = File(id, pb::PIPE);
      file.mutable_pipe()->set_id(id);
      file.mutable_pipe()->set_pipe_id(77);
      file.mutable_pipe()->set_flags(flags);
      AddFile(file);
    }
    pb::pipe_data_entry data;
    data.set_pipe_id(77);
    data.set_bytes(3);
    dump().Add(ImageType::kPipesData, 0, data, "abc");
    pb::file_entry fifo = File(5, pb::FIFO);
    fifo.mutable_fifo()->set_id(5);
    fifo.mutable_fifo()->set_pipe_id(78);
    fifo.mutable_fifo()->set_regf_id(6);
    AddFile(fifo);
    pb::file_entry tty = File(7, pb::TTY);
    tty.mutable_tty()->set_id(7);
    tty.mutable_tty()->set_tty_info_id(1);
    tty.mutable_tty()->set_regf_id(8);
    AddFile(tty);
    pb::tty_info_entry info;
    info.set_id(1);
    info.set_type(pb::PTY);
    dump().Add(ImageType::kTtyInfo, 0, info);
    pb::tty_data_entry typed;
    typed.set_tty_id(1);
    dump().Add(ImageType::kTtyData, 0, typed);
  }

  void AddUnix(uint32_t id, uint32_t ino, uint32_t peer) {
    pb::file_entry file = File(id, pb::UNIXSK);
    pb::unix_sk_entry& socket = *file.mutable_usk();
    socket.set_id(id);
    socket.set_ino(ino);
    socket.set_peer(peer);
    socket.set_name("/run/socket");
    socket.set_name_dir("/run");
    socket.set_ns_id(12);
    AddFile(file);
  }

  void AddSockets() {
    AddUnix(9, 100, 101);
    AddUnix(10, 101, 100);
    pb::file_entry file = File(11, pb::INETSK);
    pb::inet_sk_entry& tcp = *file.mutable_isk();
    tcp.set_id(11);
    tcp.set_ino(200);
    tcp.set_proto(6);
    tcp.set_state(1);
    tcp.set_ns_id(12);
    AddFile(file);
    dump().Add(ImageType::kTcpStream, 200, pb::tcp_stream_entry());
    pb::sk_packet_entry packet;
    packet.set_id_for(9);
    packet.set_length(1);
    packet.add_scm()->add_rights(3);
    dump().Add(ImageType::kSkQueues, 0, packet, "x");
  }

  void AddWatches() {
    pb::file_entry epoll = File(12, pb::EVENTPOLL);
    epoll.mutable_epfd()->set_id(12);
    epoll.mutable_epfd()->add_tfd()->set_tfd(3);
    AddFile(epoll);
    pb::file_entry inotify = File(13, pb::INOTIFY);
    inotify.mutable_ify()->set_id(13);
    for (const auto& [wd, inode] : {std::pair(1U, 1000U), std::pair(2U, 1001U)}) {
      pb::inotify_wd_entry& watch = *inotify.mutable_ify()->add_wd();
      watch.set_wd(wd);
      watch.set_i_ino(inode);
      watch.set_s_dev(kRootDevice);
      watch.mutable_f_handle()->set_mnt_id(101);
    }
    AddFile(inotify);
    pb::file_entry fanotify = File(14, pb::FANOTIFY);
    fanotify.mutable_ffy()->set_id(14);
    pb::fanotify_mark_entry& mark = *fanotify.mutable_ffy()->add_mark();
    mark.set_type(pb::MOUNT);
    mark.mutable_me()->set_mnt_id(101);
    AddFile(fanotify);
    pb::file_entry timer = File(15, pb::TIMERFD);
    timer.mutable_tfd()->set_id(15);
    AddFile(timer);
    // As older dumps have it.
    pb::inotify_wd_entry old_watch;
    old_watch.set_id(13);
    dump().Add(ImageType::kInotifyWd, 0, old_watch);
  }

  void AddMemoryFiles() {
    pb::file_entry file = File(16, pb::MEMFD);
    file.mutable_memfd()->set_id(16);
    file.mutable_memfd()->set_inode_id(1);
    AddFile(file);
    pb::memfd_inode_entry inode;
    inode.set_inode_id(1);
    inode.set_shmid(kMemoryFile);
    dump().Add(ImageType::kMemfdInode, 0, inode);
    pb::file_entry map = File(18, pb::BPFMAP);
    map.mutable_bpf()->set_id(18);
    map.mutable_bpf()->set_map_id(5);
    AddFile(map);
    pb::bpfmap_data_entry data;
    data.set_map_id(5);
    dump().Add(ImageType::kBpfmapData, 0, data);
  }

  void AddDescriptors() {
    const std::pair<uint32_t, pb::fd_types> kFiles[] = {
        {2, pb::REG},        {3, pb::PIPE},     {4, pb::PIPE},      {5, pb::FIFO},
        {7, pb::TTY},        {9, pb::UNIXSK},   {10, pb::UNIXSK},   {11, pb::INETSK},
        {12, pb::EVENTPOLL}, {13, pb::INOTIFY}, {14, pb::FANOTIFY}, {15, pb::TIMERFD},
        {16, pb::MEMFD},     {17, pb::REG},     {18, pb::BPFMAP},
    };
    for (const auto& [id, type] : kFiles) {
      pb::fdinfo_entry fd;
      fd.set_id(id);
      fd.set_type(type);
      fd.set_fd(id);
      dump().Add(ImageType::kFdinfo, 1, fd);
    }
    pb::fdinfo_entry shared;
    shared.set_id(3);
    shared.set_type(pb::PIPE);
    shared.set_fd(0);
    dump().Add(ImageType::kFdinfo, 3, shared);
    pb::file_lock_entry lock;
    lock.set_pid(1);
    lock.set_fd(17);
    dump().Add(ImageType::kFileLocks, 0, lock);
  }

  void AddRemaps() {
    pb::remap_file_path_entry remap;
    remap.set_orig_id(17);
    remap.set_remap_id(1);
    remap.set_remap_type(pb::GHOST);
    dump().Add(ImageType::kRemapFpath, 0, remap);
    pb::ghost_file_entry ghost;
    ghost.set_mode(S_IFREG | 0600);
    ghost.set_dev(kRootDevice);
    ghost.set_ino(1000);
    dump().Add(ImageType::kGhostFile, 1, ghost, "content");
  }

  void AddNamespaces() {
    dump().Add(ImageType::kUtsns, 14, pb::utsns_entry());
    dump().Add(ImageType::kIpcVar, 13, pb::ipc_var_entry());
    pb::userns_entry users;
    users.add_uid_map()->set_count(65536);
    dump().Add(ImageType::kUserns, 16, users);
    pb::netns_entry net;
    net.add_nsids()->set_target_ns_id(12);
    dump().Add(ImageType::kNetns, 12, net);
    pb::net_device_entry device;
    device.set_type(pb::LOOPBACK);
    device.set_ifindex(1);
    dump().Add(ImageType::kNetdev, 12, device);
    pb::ipc_shm_entry segment;
    segment.mutable_desc()->set_id(kSegment);
    segment.set_in_pagemaps(true);
    dump().Add(ImageType::kIpcnsShm, 13, segment);
  }

  void AddMount(uint32_t id, uint32_t parent, const char* mountpoint, uint32_t fstype,
                uint32_t device, uint32_t shared, uint32_t master) {
    pb::mnt_entry mount;
    mount.set_mnt_id(id);
    mount.set_parent_mnt_id(parent);
    mount.set_mountpoint(mountpoint);
    mount.set_root("/");
    mount.set_fstype(fstype);
    mount.set_root_dev(device);
    mount.set_shared_id(shared);
    mount.set_master_id(master);
    dump().Add(ImageType::kMnts, 15, mount);
  }

  void AddMounts() {
    AddMount(103, 102, "/proc/sys", pb::PROC, 0x40, 0, 1);
    AddMount(101, 100, "/", pb::UNSUPPORTED, kRootDevice, 0, 0);
    AddMount(102, 101, "/proc", pb::PROC, 0x40, 1, 0);
    AddMount(104, 101, "/tmp", pb::TMPFS, kTmpfsDevice, 0, 0);
    pb::mnt_entry hosts;
    hosts.set_mnt_id(105);
    hosts.set_parent_mnt_id(101);
    hosts.set_mountpoint("/etc/hosts");
    hosts.set_root("/var/lib/hosts");
    hosts.set_root_dev(0x21);
    hosts.set_ext_key("hosts");
    dump().Add(ImageType::kMnts, 15, hosts);
    dump().Set(ImageType::kTmpfsDev, kTmpfsDevice, "tar");
  }

  void AddCgroups() {
    pb::cgroup_entry cgroups;
    pb::cg_set_entry& set = *cgroups.add_sets();
    set.set_id(1);
    pb::cg_member_entry& member = *set.add_ctls();
    member.set_name("memory");
    member.set_path("/job");
    member.set_cgns_prefix(1);
    cgroups.add_controllers()->add_cnames("memory");
    dump().Add(ImageType::kCgroup, 0, cgroups);
  }

  SampleContainer container_;
};

}  // namespace

SampleContainer MakeSampleContainer() { return Builder().Build(); }

}  // namespace ckpt
