// What a tree has around its processes: its namespaces and what is in them, its mounts.
#ifndef DUMPER_SURROUNDINGS_H_
#define DUMPER_SURROUNDINGS_H_

#include <sys/types.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "base/staged_file_set.h"
#include "dumper/cgroups.h"
#include "dumper/external_mounts.h"
#include "dumper/file_table.h"
#include "dumper/namespaces.h"
#include "dumper/net_namespace.h"
#include "dumper/own_mounts.h"
#include "dumper/refusals.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "process/kernel_features.h"
#include "process/mount_watch.h"
#include "process/mountinfo.h"
#include "process/union_mounts.h"

namespace ckpt {

struct SurroundingsOptions {
  ExternalMounts externals;
  CgroupMode cgroups = CgroupMode::kProperties;
  bool evasive_devices = false;
};

// Create() is called before the freeze, the others in their order after it. The destructor waits
// for what was started.
class Surroundings {
 public:
  // Looks at everything, so that after the freeze only what has changed since has to be looked at.
  static Result<std::unique_ptr<Surroundings>> Create(pid_t root,
                                                      const SurroundingsOptions& options,
                                                      const KernelFeatures& features);

  const Namespaces& namespaces() const { return *namespaces_; }
  uint32_t MntNsId() const { return namespaces_->IdOf(NamespaceKind::kMnt); }

  // The tree, `pids`, is frozen: begins to read what is in the namespaces, and in which control
  // groups its processes are, and to write the content of each tmpfs to `output`, beside all else.
  Result<> Start(std::vector<pid_t> pids, StagedFileSet& output);

  // Waits for the namespaces and control groups, and tells what cannot be dumped. `root_ns_pid` is
  // the number of the root in its innermost pid namespace.
  Result<> FinishReading(pid_t root_ns_pid, Refusals& refusals);
  // Waits for the rest. kUnsupported for a tmpfs that lies under another mount.
  Result<> Finish();

  // In images: of a process of the tree, after FinishReading().
  uint32_t CgroupSetOf(pid_t pid) const { return cgroups_.set_of.at(pid); }

  // Of the mount namespace, after Start().
  const std::vector<Mount>& mounts() const { return mounts_; }
  const std::vector<UnionMount>& unions() const { return unions_; }
  const std::unordered_set<int32_t>& mount_ids() const { return mount_ids_; }

  // With `evasive_devices`: a device that lies on no mount of an own mount namespace becomes the
  // node of the same device that its path leads to there, if there is one.
  Result<> PlaceDevices(FileTable& files) const;

  // Files that lie on no mount of an own mount namespace. Those that are only mapped, `mapped_ids`,
  // may, and are written down as they are: a union file system may show its branches so.
  void RefuseFilesOutside(const std::vector<pb::file_entry>& files,
                          const std::unordered_set<uint32_t>& mapped_ids, Refusals& refusals) const;

  // All but the contents of tmpfs.
  Result<> AddImages(StagedFileSet& output) const;

 private:
  struct Contents {
    std::optional<pb::utsns_entry> uts;
    std::optional<pb::ipc_var_entry> ipc;
    std::optional<NetNamespace> net;
    Refusals refusals;
  };
  struct TmpfsOutput {
    OwnTmpfs tmpfs;
    int fd = -1;
  };

  Surroundings(pid_t root, SurroundingsOptions options, const KernelFeatures& features)
      : root_(root), options_(std::move(options)), features_(features) {}

  bool IsOwn(NamespaceKind kind) const { return namespaces_->IsOwn(kind); }
  Result<> LookAtMounts();
  int ContentFlags() const;
  bool HasOwnContents() const { return ContentFlags() != 0; }
  Result<Contents> ReadContents() const;
  Result<> ArchiveTmpfs(const std::vector<TmpfsOutput>& outputs) const;

  pid_t root_;
  SurroundingsOptions options_;
  KernelFeatures features_;
  std::optional<Namespaces> namespaces_;
  std::optional<MountWatch> watch_;
  std::vector<Mount> dumper_mounts_;
  std::vector<Mount> mounts_;
  std::unordered_set<int32_t> mount_ids_;
  std::vector<UnionMount> unions_;
  OwnMounts own_mounts_;
  Refusals mount_refusals_;
  Contents contents_;
  std::string dumper_cgroups_;
  Cgroups cgroups_;
  std::future<Result<Contents>> reading_;
  std::future<Result<Cgroups>> reading_cgroups_;
  std::future<Result<>> archiving_;
};

}  // namespace ckpt

#endif  // DUMPER_SURROUNDINGS_H_
