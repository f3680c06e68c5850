#include "restorer/mount_tree.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/file.h"
#include "restorer/mount_calls.h"
#include "restorer/mount_source.h"

namespace ckpt {

namespace {

class Maker {
 public:
  Maker(const MountTreePlan& plan, const std::string& images_dir)
      : plan_(plan), images_dir_(images_dir), is_used_later_(plan.mounts.size()) {
    mounts_.resize(plan.mounts.size());
    for (const MountPlan& mount : plan.mounts) is_used_later_[mount.parent] = true;
    for (const PropagationStep& step : plan.propagation) {
      is_used_later_[step.mount] = true;
      if (step.kind == PropagationStep::Kind::kJoin) is_used_later_[step.other] = true;
    }
  }

  // What sources are attached on, and at last the new root, is the directory for the root: all of
  // that is on the other side once it is the root.
  Result<> Make(const std::string& root) {
    CKPT_TRY(Isolate());
    CKPT_TRY(const UniqueFd directory, OpenFile(root, O_PATH | O_DIRECTORY));
    for (const MountSourcePlan& source : plan_.sources) {
      CKPT_TRY(UniqueFd made, MakeMountSource(source, directory.get(), images_dir_));
      sources_.push_back(std::move(made));
    }
    CKPT_TRY(MakeMount(0, directory.get()));
    for (size_t i = 1; i < plan_.mounts.size(); ++i) CKPT_TRY(MakeChild(i));
    CKPT_TRY(ChangeRoot());
    for (const PropagationStep& step : plan_.propagation) CKPT_TRY(Propagate(step));
    return success();
  }

 private:
  // Nothing that is done here is seen outside; what is done outside may be seen here.
  static Result<> Isolate() {
    if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0) return success();
    const int saved = errno;
    return ErrnoError(saved, "mount(\"/\", MS_REC | MS_SLAVE)");
  }

  Result<> MakeMount(size_t index, int mountpoint) {
    const MountPlan& mount = plan_.mounts[index];
    CKPT_TRY(UniqueFd made, CloneOf(mount));
    CKPT_TRY(SetMount(mount.place, made.get(), mount.attributes,
                      mount.follows_outside ? 0 : MS_PRIVATE));
    CKPT_TRY(AttachMount(mount.place, made.get(), mountpoint));
    if (is_used_later_[index]) mounts_[index] = std::move(made);
    return success();
  }

  Result<UniqueFd> CloneOf(const MountPlan& mount) const {
    const int source = sources_[mount.source].get();
    if (mount.path_in_source.empty()) return CloneMount(mount.place, source);
    CKPT_TRY(const UniqueFd directory, OpenOnMount(mount.place, source, mount.path_in_source));
    return CloneMount(mount.place, directory.get());
  }

  Result<> MakeChild(size_t index) {
    const MountPlan& mount = plan_.mounts[index];
    const int parent = mounts_[mount.parent].get();
    if (mount.mountpoint.empty()) return MakeMount(index, parent);
    CKPT_TRY(const UniqueFd mountpoint, OpenOnMount(mount.place, parent, mount.mountpoint));
    return MakeMount(index, mountpoint.get());
  }

  // pivot_root(2) puts the old root on top of the new one, where "." finds it to unmount it.
  Result<> ChangeRoot() const {
    if (fchdir(mounts_.front().get()) < 0) return ErrnoError(errno, "fchdir to the new root");
    if (syscall(SYS_pivot_root, ".", ".") < 0) return ErrnoError(errno, "pivot_root(\".\", \".\")");
    if (umount2(".", MNT_DETACH) < 0) return ErrnoError(errno, "umount2 of the old root");
    if (chdir("/") < 0) return ErrnoError(errno, "chdir(\"/\")");
    return success();
  }

  Result<> Propagate(const PropagationStep& step) const {
    const std::string& place = plan_.mounts[step.mount].place;
    const int mount = mounts_[step.mount].get();
    switch (step.kind) {
      case PropagationStep::Kind::kShare:
        return SetPropagation(place, mount, MS_SHARED);
      case PropagationStep::Kind::kFollow:
        return SetPropagation(place, mount, MS_SLAVE);
      case PropagationStep::Kind::kUnbindable:
        return SetPropagation(place, mount, MS_UNBINDABLE);
      case PropagationStep::Kind::kJoin:
        return JoinPeers(place, mount, mounts_[step.other].get());
    }
    return success();
  }

  const MountTreePlan& plan_;
  const std::string& images_dir_;
  std::vector<bool> is_used_later_;
  std::vector<UniqueFd> sources_;
  std::vector<UniqueFd> mounts_;  // those that are used later
};

}  // namespace

Result<> MakeMountTree(const MountTreePlan& plan, const std::string& root,
                       const std::string& images_dir) {
  return Maker(plan, images_dir).Make(root);
}

}  // namespace ckpt
