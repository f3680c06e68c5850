#include "dumper/surroundings.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "base/file.h"
#include "dumper/ipc_namespace.h"
#include "dumper/mount_entries.h"
#include "dumper/staged_image.h"
#include "dumper/tmpfs_content.h"
#include "dumper/uts_namespace.h"
#include "process/joined_namespaces.h"
#include "process/namespace_mounts.h"

namespace ckpt {

namespace {

using enum NamespaceKind;

constexpr char kProc[] = "/proc";
constexpr uint64_t kTimensOfDumper = 0;  // the only one that there is an image of

void AddAll(const Refusals& from, Refusals& to) {
  for (const std::string& finding : from.findings()) to.Add("{}", finding);
}

// What the clocks of the dumper's time namespace, which the tree shares, showed.
pb::timens_entry ReadClocks() {
  const auto read = [](clockid_t clock, pb::timespec& time) {
    ::timespec now{};
    clock_gettime(clock, &now);
    time.set_tv_sec(static_cast<uint64_t>(now.tv_sec));
    time.set_tv_nsec(static_cast<uint64_t>(now.tv_nsec));
  };
  pb::timens_entry entry;
  read(CLOCK_MONOTONIC, *entry.mutable_monotonic());
  read(CLOCK_BOOTTIME, *entry.mutable_boottime());
  return entry;
}

// Regular entries that stand for the path of something that is no regular file.
std::unordered_set<uint32_t> PathsOfTerminals(const std::vector<pb::file_entry>& files) {
  std::unordered_set<uint32_t> ids;
  for (const pb::file_entry& file : files) {
    if (file.has_tty() && file.tty().has_regf_id()) ids.insert(file.tty().regf_id());
  }
  return ids;
}

// The node of the device that a path leads to in the mount namespace of the calling thread.
std::optional<struct statx> FindNode(uint64_t device, mode_t type, const std::string& path) {
  struct statx node {};
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_MNT_ID, &node) !=
      0) {
    return std::nullopt;
  }
  if ((node.stx_mode & S_IFMT) != type) return std::nullopt;
  if (makedev(node.stx_rdev_major, node.stx_rdev_minor) != device) return std::nullopt;
  return node;
}

void Place(uint64_t device, pb::reg_file_entry& file) {
  // A path on a mount that is in no namespace of the reader's begins at that mount, which is /dev.
  for (const std::string& path : {file.name(), "/dev" + file.name()}) {
    const auto node = FindNode(device, file.mode() & S_IFMT, path);
    if (!node) continue;
    file.set_name(path);
    file.set_mnt_id(static_cast<int32_t>(node->stx_mnt_id));
    file.set_mode(node->stx_mode);
    return;
  }
}

}  // namespace

Result<std::unique_ptr<Surroundings>> Surroundings::Create(pid_t root,
                                                           const SurroundingsOptions& options,
                                                           const KernelFeatures& features) {
  std::unique_ptr<Surroundings> created(new Surroundings(root, options, features));
  CKPT_TRY(created->namespaces_, Namespaces::Read(root));
  // Opened before the mounts are read: what changes in between is read again.
  CKPT_TRY(MountWatch watch, MountWatch::Open(root));
  created->watch_.emplace(std::move(watch));
  CKPT_TRY(created->dumper_mounts_, ReadMounts(getpid(), features));
  CKPT_TRY(created->LookAtMounts());
  CKPT_TRY(created->dumper_cgroups_, ReadDumperCgroups());
  // So that the kernel has the names of all that is read here in memory when the tree is frozen.
  static_cast<void>(ReadCgroups({root}, created->dumper_cgroups_, CgroupMode::kIgnore, {}));
  static_cast<void>(created->ReadContents());
  return created;
}

Result<> Surroundings::LookAtMounts() {
  mount_refusals_ = Refusals();
  own_mounts_ = OwnMounts();
  if (IsOwn(kMnt)) {
    CKPT_TRY(mounts_, ReadNamespaceMounts(root_, features_));
    own_mounts_ = BuildOwnMounts(mounts_, options_.externals, dumper_mounts_, mount_refusals_);
  } else {
    // Those of the namespace, which is ours: not of the root that the process may have changed.
    CKPT_TRY(mounts_, ReadMounts(getpid(), features_));
    own_mounts_.entries = BuildMountEntries(mounts_);
  }
  mount_ids_.clear();
  for (const Mount& mount : mounts_) mount_ids_.insert(mount.mnt_id);
  CKPT_TRY(unions_, FindUnionMounts(mounts_, UnionSources{}));
  return success();
}

Result<> Surroundings::Start(std::vector<pid_t> pids, StagedFileSet& output) {
  CKPT_TRY(const bool changed, watch_->HaveChanged());
  if (changed) CKPT_TRY(LookAtMounts());
  // What is little is done where it is asked for: a thread would take longer to start.
  const auto how_if = [](bool is_much) {
    return is_much ? std::launch::async : std::launch::deferred;
  };
  reading_ = std::async(how_if(HasOwnContents()), [this] { return ReadContents(); });
  const bool has_much = options_.cgroups != CgroupMode::kIgnore || pids.size() > 1;
  reading_cgroups_ = std::async(how_if(has_much), [this, pids = std::move(pids)] {
    return ReadCgroups(pids, dumper_cgroups_, options_.cgroups, dumper_mounts_);
  });
  std::vector<TmpfsOutput> outputs;
  for (const OwnTmpfs& tmpfs : own_mounts_.tmpfs) {
    CKPT_TRY(const int fd,
             output.Create(ImageFileName(ImageType::kTmpfsDev, tmpfs.device), kStagedImageMode));
    outputs.push_back({tmpfs, fd});
  }
  const bool has_content = !outputs.empty();
  archiving_ = std::async(how_if(has_content),
                          [this, outputs = std::move(outputs)] { return ArchiveTmpfs(outputs); });
  return success();
}

// Of the namespaces whose content is read from inside.
int Surroundings::ContentFlags() const { return namespaces_->JoinableFlags() & ~CLONE_NEWNS; }

Result<Surroundings::Contents> Surroundings::ReadContents() const {
  Contents contents;
  if (!HasOwnContents()) return contents;
  const auto read = [&]() -> Result<> {
    if (IsOwn(kUts)) {
      CKPT_TRY(contents.uts, ReadUtsNamespace());
    }
    if (IsOwn(kIpc)) {
      CKPT_TRY(contents.ipc, ReadIpcNamespace(kProc, contents.refusals));
    }
    if (IsOwn(kNet)) {
      CKPT_TRY(contents.net, ReadNetNamespace(kProc, contents.refusals));
    }
    return success();
  };
  CKPT_TRY(RunInNamespacesOf(root_, ContentFlags(), read));
  return contents;
}

Result<> Surroundings::ArchiveTmpfs(const std::vector<TmpfsOutput>& outputs) const {
  if (outputs.empty()) return success();
  return RunInNamespacesOf(root_, CLONE_NEWNS, [&]() -> Result<> {
    for (const TmpfsOutput& output : outputs) {
      CKPT_TRY(const UniqueFd directory,
               OpenBareMount(output.tmpfs.mountpoint, output.tmpfs.mnt_id));
      CKPT_TRY(ArchiveDirectory(directory.get(), output.fd));
    }
    return success();
  });
}

Result<> Surroundings::FinishReading(pid_t root_ns_pid, Refusals& refusals) {
  CKPT_TRY(contents_, reading_.get());
  namespaces_->Refuse(root_ns_pid, refusals);
  AddAll(mount_refusals_, refusals);
  AddAll(contents_.refusals, refusals);
  CKPT_TRY(cgroups_, reading_cgroups_.get());
  for (const StrayThread& stray : cgroups_.strays) {
    refusals.Add(
        "thread {} of process {} is in other control groups than its first: not supported yet",
        stray.tid, stray.pid);
  }
  return success();
}

Result<> Surroundings::Finish() { return archiving_.get(); }

Result<> Surroundings::PlaceDevices(FileTable& files) const {
  std::vector<pb::reg_file_entry*> outside;
  for (const auto& [id, device] : files.devices()) {
    pb::reg_file_entry& file = *files.mutable_entries()[id - 1].mutable_reg();
    if (!mount_ids_.contains(file.mnt_id())) outside.push_back(&file);
  }
  if (!options_.evasive_devices || !IsOwn(kMnt) || outside.empty()) return success();
  return RunInNamespacesOf(root_, CLONE_NEWNS, [&]() -> Result<> {
    for (pb::reg_file_entry* file : outside) Place(files.devices().at(file->id()), *file);
    return success();
  });
}

void Surroundings::RefuseFilesOutside(const std::vector<pb::file_entry>& files,
                                      const std::unordered_set<uint32_t>& mapped_ids,
                                      Refusals& refusals) const {
  if (!IsOwn(kMnt)) return;
  const std::unordered_set<uint32_t> terminals = PathsOfTerminals(files);
  for (const pb::file_entry& file : files) {
    if (!file.has_reg() || mapped_ids.contains(file.id()) || terminals.contains(file.id())) {
      continue;
    }
    if (mount_ids_.contains(file.reg().mnt_id())) continue;
    refusals.Add("file {}: it lies on mount {}, which is not in the mount namespace of the tree",
                 file.reg().name(), file.reg().mnt_id());
  }
}

Result<> Surroundings::AddImages(StagedFileSet& output) const {
  CKPT_TRY(StageImage(output, ImageType::kMnts, MntNsId(), own_mounts_.entries));
  if (contents_.uts) {
    CKPT_TRY(StageImage(output, ImageType::kUtsns, namespaces_->IdOf(kUts), *contents_.uts));
  }
  if (contents_.ipc) {
    CKPT_TRY(StageImage(output, ImageType::kIpcVar, namespaces_->IdOf(kIpc), *contents_.ipc));
  }
  if (contents_.net) {
    const uint32_t id = namespaces_->IdOf(kNet);
    CKPT_TRY(StageImage(output, ImageType::kNetns, id, contents_.net->sysctls));
    CKPT_TRY(StageImage(output, ImageType::kNetdev, id, contents_.net->loopback));
    CKPT_TRY(output.Add(ImageFileName(ImageType::kIfaddr, id), AsBytes(contents_.net->addresses),
                        kStagedImageMode));
  }
  if (cgroups_.entry) CKPT_TRY(StageImage(output, ImageType::kCgroup, 0, *cgroups_.entry));
  if (!namespaces_->AnyIsOwn()) return success();
  return StageImage(output, ImageType::kTimens, kTimensOfDumper, ReadClocks());
}

}  // namespace ckpt
