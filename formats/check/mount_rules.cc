#include "formats/check/mount_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/check/checked_files.h"
#include "formats/check/checked_tasks.h"
#include "formats/check/mounted_directories.h"
#include "formats/proto/bpf.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/notify.pb.h"
#include "formats/proto/sockets_unix.pb.h"

namespace ckpt {

namespace {

using MountRef = EntryRef<pb::mnt_entry>;

// The mounts of one namespace that a restorer makes again.
class MountNamespace {
 public:
  MountNamespace(const CheckedDump& dump, const CheckedImage& image) : id_(image.name.id) {
    dump.ForEachIn<pb::mnt_entry>(image, [&](const MountRef& mount) { mounts_.push_back(mount); });
    for (size_t i = 0; i < mounts_.size(); ++i) by_id_.try_emplace(Entry(i).mnt_id(), i);
    for (size_t i = 0; i < mounts_.size(); ++i) {
      if (!root_ && IsParentless(i) && Entry(i).mountpoint() == "/") root_ = i;
    }
  }

  uint64_t id() const { return id_; }  // the N of mountpoints-N.img
  const std::vector<MountRef>& mounts() const { return mounts_; }
  const pb::mnt_entry& Entry(size_t index) const { return *mounts_[index].message; }
  size_t FirstWithId(uint32_t mnt_id) const { return by_id_.at(mnt_id); }
  // What is mounted at "/" with no parent in the image: of the first namespace it comes from the
  // --root of the restorer.
  const std::optional<size_t>& root() const { return root_; }

  std::optional<size_t> ParentOf(size_t index) const {
    const auto parent = by_id_.find(Entry(index).parent_mnt_id());
    if (parent == by_id_.end() || parent->second == index) return std::nullopt;
    return parent->second;
  }
  bool IsParentless(size_t index) const { return !ParentOf(index); }
  // Whether the restorer has the mount made for it.
  bool IsGiven(size_t index) const { return index == root_ || IsExternal(Entry(index)); }

 private:
  uint64_t id_;
  std::vector<MountRef> mounts_;
  std::unordered_map<uint32_t, size_t> by_id_;
  std::optional<size_t> root_;
};

template <typename Visit>
void ForEachNamespace(CheckRun& run, Visit visit) {
  const auto* inventory = run.dump().FindFirst<pb::inventory_entry>(ImageType::kInventory);
  // Without it nobody can tell which namespace is the restorer's own.
  if (inventory == nullptr) return;
  for (const CheckedImage& image : run.dump().ImagesOf(ImageType::kMnts)) {
    const bool is_shared =
        inventory->root_ids().has_mnt_ns_id() && inventory->root_ids().mnt_ns_id() == image.name.id;
    if (is_shared || !run.dump().Load(image).is_whole) continue;
    visit(MountNamespace(run.dump(), image));
  }
}

void CheckIdsUnique(CheckRun& run) {
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    for (size_t i = 0; i < mounts.mounts().size(); ++i) {
      const uint32_t mnt_id = mounts.Entry(i).mnt_id();
      const size_t first = mounts.FirstWithId(mnt_id);
      if (first == i) continue;
      run.Add(mounts.mounts()[i], "mnt_id", fmt::format("{}, as in entry {}", mnt_id, first),
              "ids that occur once");
    }
  });
}

void CheckRoots(CheckRun& run) {
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    if (!mounts.root() && !mounts.mounts().empty()) {
      run.Add(CheckPlace(mounts.mounts()[0].image->file_name), "", "no mount is the root",
              "one at \"/\" whose parent is not in the image");
    }
    for (size_t i = 0; i < mounts.mounts().size(); ++i) {
      if (i == mounts.root() || !mounts.IsParentless(i)) continue;
      if (mounts.Entry(i).mountpoint() != "/") continue;
      run.Add(mounts.mounts()[i], "parent_mnt_id",
              fmt::format("{}, which is not in the image", mounts.Entry(i).parent_mnt_id()),
              fmt::format("one root, which entry {} is", *mounts.root()));
    }
  });
}

void CheckParents(CheckRun& run) {
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    for (size_t i = 0; i < mounts.mounts().size(); ++i) {
      if (!mounts.IsParentless(i) || mounts.Entry(i).mountpoint() == "/") continue;
      run.Add(
          mounts.mounts()[i], "parent_mnt_id",
          fmt::format("{}, of {}", mounts.Entry(i).parent_mnt_id(), mounts.Entry(i).mountpoint()),
          "a mount of the image");
    }
  });
}

void CheckCycles(CheckRun& run) {
  enum class Mark { kNew, kOnPath, kDone };
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    std::vector<Mark> marks(mounts.mounts().size(), Mark::kNew);
    for (size_t i = 0; i < marks.size(); ++i) {
      std::vector<size_t> path;
      std::optional<size_t> at = i;
      while (at && marks[*at] == Mark::kNew) {
        marks[*at] = Mark::kOnPath;
        path.push_back(*at);
        at = mounts.ParentOf(*at);
      }
      if (at && marks[*at] == Mark::kOnPath) {
        run.Add(mounts.mounts()[*at], "parent_mnt_id",
                fmt::format("{}, whose parents lead back to {}", mounts.Entry(*at).parent_mnt_id(),
                            mounts.Entry(*at).mnt_id()),
                "parents that lead to the root");
      }
      for (const size_t passed : path) marks[passed] = Mark::kDone;
    }
  });
}

bool IsBelow(std::string_view path, std::string_view directory) {
  if (!path.starts_with(directory)) return false;
  return path.size() == directory.size() || directory.ends_with('/') ||
         path[directory.size()] == '/';
}

void CheckPlaces(CheckRun& run) {
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    for (size_t i = 0; i < mounts.mounts().size(); ++i) {
      const auto parent = mounts.ParentOf(i);
      const std::string& mountpoint = mounts.Entry(i).mountpoint();
      if (!parent || IsBelow(mountpoint, mounts.Entry(*parent).mountpoint())) continue;
      run.Add(mounts.mounts()[i], "mountpoint", fmt::format("\"{}\"", mountpoint),
              fmt::format("a place below \"{}\", where its parent is",
                          mounts.Entry(*parent).mountpoint()));
    }
  });
}

void CheckKeys(CheckRun& run) {
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    for (const MountRef& mount : mounts.mounts()) {
      const bool has_both = mount.message->ext_mount() && mount.message->has_ext_key();
      if (has_both) run.Add(mount, "ext_key", "a key, and ext_mount", "one of them");
      if (mount.message->has_ext_key() && mount.message->ext_key().empty()) {
        run.Add(mount, "ext_key", "\"\"", "a key that the restorer can be given");
      }
    }
  });
}

// The namespace whose root the restorer is given: the first task's, or the first of the images.
std::optional<uint64_t> FirstNamespace(CheckRun& run) {
  const auto& tasks = run.tasks().all();
  const auto* ids = tasks.empty() ? nullptr : tasks.front().ids;
  std::optional<uint64_t> first;
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    const bool is_of_task = ids != nullptr && ids->mnt_ns_id() == mounts.id();
    if (!first || is_of_task) first = mounts.id();
  });
  return first;
}

// CRIU mounts the root of a further namespace from its options, if they say of what.
bool IsMadeFromOptions(const pb::mnt_entry& mount) {
  const std::string& options = mount.options();
  return mount.fstype() == pb::OVERLAYFS &&
         (options.starts_with("lowerdir") || options.find(",lowerdir") != std::string::npos);
}

void CheckExternals(CheckRun& run) {
  const std::optional<uint64_t> first = FirstNamespace(run);
  const auto is_given = [&](const MountNamespace& mounts, size_t i) {
    return IsExternal(mounts.Entry(i)) || (i == mounts.root() && mounts.id() == first);
  };
  MountedDirectories directories;
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    for (size_t i = 0; i < mounts.mounts().size(); ++i) {
      directories.Add(mounts.Entry(i), is_given(mounts, i));
    }
  });
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    for (size_t i = 0; i < mounts.mounts().size(); ++i) {
      const pb::mnt_entry& mount = mounts.Entry(i);
      if (is_given(mounts, i) || (mount.root() == "/" && CanBeMade(mount))) continue;
      if (i == mounts.root() && IsMadeFromOptions(mount)) continue;
      if (directories.HasWider(mount)) continue;
      run.Add(mounts.mounts()[i], "ext_key",
              fmt::format("(absent), and \"{}\" at \"{}\" is shown by no other mount", mount.root(),
                          mount.mountpoint()),
              "a key, for the restorer to be told what to mount");
    }
  });
}

void CheckFstypes(CheckRun& run) {
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    for (const MountRef& mount : mounts.mounts()) {
      const pb::mnt_entry& entry = *mount.message;
      if (!pb::fstype_IsValid(static_cast<int>(entry.fstype()))) {
        run.Add(mount, "fstype", fmt::format("{}", entry.fstype()), "a type of the format");
      } else if (entry.has_fsname() && entry.fstype() != pb::AUTO) {
        run.Add(mount, "fsname", fmt::format("\"{}\"", entry.fsname()),
                "a name only where fstype is AUTO");
      }
    }
  });
}

// The content of a tmpfs, also of an empty one, is in an archive named by its device, or by the id
// of its mount in older dumps.
void CheckContents(CheckRun& run) {
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    std::set<uint32_t> missing;
    std::set<uint32_t> given;
    for (size_t i = 0; i < mounts.mounts().size(); ++i) {
      if (mounts.IsGiven(i)) given.insert(mounts.Entry(i).root_dev());
    }
    for (const MountRef& mount : mounts.mounts()) {
      const pb::mnt_entry& entry = *mount.message;
      if (entry.fstype() != pb::TMPFS || entry.root() != "/" || given.contains(entry.root_dev())) {
        continue;
      }
      if (run.dump().Has(ImageType::kTmpfsDev, entry.root_dev()) ||
          run.dump().Has(ImageType::kTmpfsImg, entry.mnt_id()) ||
          !missing.insert(entry.root_dev()).second) {
        continue;
      }
      run.Add(
          mount, "root_dev",
          fmt::format("{:#x} at \"{}\", but there is no {}", entry.root_dev(), entry.mountpoint(),
                      ImageFileName(ImageType::kTmpfsDev, entry.root_dev())),
          "the files of the tmpfs");
    }
  });
}

void CheckMasters(CheckRun& run) {
  ForEachNamespace(run, [&](const MountNamespace& mounts) {
    std::set<uint32_t> shared;
    // A mount of the same file system that the restorer is given can have the master outside.
    std::set<uint32_t> outside;
    for (size_t i = 0; i < mounts.mounts().size(); ++i) {
      if (mounts.Entry(i).shared_id() != 0) shared.insert(mounts.Entry(i).shared_id());
      if (mounts.IsGiven(i)) outside.insert(mounts.Entry(i).master_id());
    }
    for (const MountRef& mount : mounts.mounts()) {
      const uint32_t master = mount.message->master_id();
      if (master == 0 || shared.contains(master) || outside.contains(master)) continue;
      run.Add(mount, "master_id", fmt::format("{} at \"{}\"", master, mount.message->mountpoint()),
              "the shared_id of a mount, or a mount that the restorer is given");
    }
  });
}

// Names that lead through a mount. Without mount namespaces in the dump the ids mean nothing.
class KnownMounts {
 public:
  explicit KnownMounts(CheckRun& run) {
    is_known_ =
        run.dump().AreWhole(ImageType::kMnts) && !run.dump().ImagesOf(ImageType::kMnts).empty();
    run.dump().ForEach<pb::mnt_entry>(
        ImageType::kMnts, [&](const MountRef& mount) { ids_.insert(mount.message->mnt_id()); });
  }
  bool MayBe(int64_t mnt_id) const {
    return !is_known_ || (mnt_id >= 0 && ids_.contains(static_cast<uint32_t>(mnt_id)));
  }

 private:
  bool is_known_ = false;
  std::set<uint32_t> ids_;
};

class NameCheck {
 public:
  explicit NameCheck(CheckRun& run) : run_(run), mounts_(run) {}

  void CheckFiles() {
    run_.files().ForEach<pb::reg_file_entry>(
        [&](const CheckedFile& file, const pb::reg_file_entry& reg) {
          if (!reg.ext() && reg.has_mnt_id() && reg.mnt_id() != -1) {
            Check(file, "mnt_id", reg.mnt_id());
          }
        });
    run_.files().ForEach<pb::unix_sk_entry>(
        [&](const CheckedFile& file, const pb::unix_sk_entry& socket) {
          if (socket.has_mnt_id() && socket.mnt_id() != -1) Check(file, "mnt_id", socket.mnt_id());
        });
    run_.files().ForEach<pb::bpfmap_file_entry>(
        [&](const CheckedFile& file, const pb::bpfmap_file_entry& map) {
          if (map.has_mnt_id() && map.mnt_id() != -1) Check(file, "mnt_id", map.mnt_id());
        });
  }

  void CheckWatches() {
    run_.files().ForEach<pb::inotify_file_entry>(
        [&](const CheckedFile& file, const pb::inotify_file_entry& inotify) {
          for (int i = 0; i < inotify.wd_size(); ++i) {
            CheckHandle(file, fmt::format("wd[{}].f_handle", i), inotify.wd(i).f_handle());
          }
        });
    run_.files().ForEach<pb::fanotify_file_entry>(
        [&](const CheckedFile& file, const pb::fanotify_file_entry& fanotify) {
          for (int i = 0; i < fanotify.mark_size(); ++i) CheckMark(file, fanotify.mark(i), i);
        });
  }

 private:
  void Check(const CheckedFile& file, const std::string& field, int64_t mnt_id) {
    if (mounts_.MayBe(mnt_id)) return;
    run_.Add({file.image->file_name, file.index}, std::string(file.prefix) + field,
             fmt::format("{}", mnt_id), "the mnt_id of a mountpoints image");
  }

  void CheckHandle(const CheckedFile& file, const std::string& field, const pb::fh_entry& handle) {
    if (handle.has_mnt_id()) Check(file, field + ".mnt_id", handle.mnt_id());
  }

  void CheckMark(const CheckedFile& file, const pb::fanotify_mark_entry& mark, int index) {
    const std::string field = fmt::format("mark[{}]", index);
    if (mark.has_ie()) CheckHandle(file, field + ".ie.f_handle", mark.ie().f_handle());
    if (mark.has_me()) Check(file, field + ".me.mnt_id", mark.me().mnt_id());
  }

  CheckRun& run_;
  KnownMounts mounts_;
};

void CheckFileMounts(CheckRun& run) { NameCheck(run).CheckFiles(); }
void CheckWatchMounts(CheckRun& run) { NameCheck(run).CheckWatches(); }

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"mount-duplicate", kError, "no two mounts of a namespace have one id", "MNTS.mnt_id INVENTORY",
     CheckIdsUnique},
    {"mount-root", kError, "a namespace has one root",
     "MNTS.mnt_id MNTS.parent_mnt_id MNTS.mountpoint INVENTORY", CheckRoots},
    {"mount-parent", kError, "the parent of a mount is in the image",
     "MNTS.mnt_id MNTS.parent_mnt_id MNTS.mountpoint INVENTORY", CheckParents},
    {"mount-cycle", kError, "the parents of a mount lead to the root",
     "MNTS.mnt_id MNTS.parent_mnt_id INVENTORY", CheckCycles},
    {"mount-place", kError, "a mountpoint lies below that of the parent",
     "MNTS.mnt_id MNTS.parent_mnt_id MNTS.mountpoint INVENTORY", CheckPlaces},
    {"mount-key", kError, "an external mount has one key", "MNTS.ext_key MNTS.ext_mount INVENTORY",
     CheckKeys},
    {"mount-external", kError, "what a restorer cannot mount by itself has a key",
     "MNTS.ext_key MNTS.ext_mount MNTS.root MNTS.root_dev MNTS.fstype MNTS.mnt_id MNTS.options "
     "MNTS.parent_mnt_id MNTS.mountpoint INVENTORY PSTREE IDS CORE",
     CheckExternals},
    {"mount-type", kError, "the type of a file system is one of the format",
     "MNTS.fstype MNTS.fsname INVENTORY", CheckFstypes},
    {"mount-content", kError, "the files of a tmpfs are there, even if it has none",
     "MNTS TMPFS_DEV TMPFS_IMG INVENTORY", CheckContents},
    {"mount-master", kError, "a mount receives from a group that is in the image",
     "MNTS.master_id MNTS.shared_id MNTS.ext_key MNTS.ext_mount INVENTORY", CheckMasters},
    {"file-mount", kError, "the mount that a file is reached through is in the dump",
     "MNTS.mnt_id FILES.reg.mnt_id FILES.reg.ext FILES.usk.mnt_id FILES.bpf.mnt_id",
     CheckFileMounts},
    {"watch-mount", kError, "the mount that a watched file is reached through is in the dump",
     "MNTS.mnt_id FILES.ify FILES.ffy", CheckWatchMounts},
};

}  // namespace

std::span<const CheckRule> MountRules() { return kRules; }

}  // namespace ckpt
