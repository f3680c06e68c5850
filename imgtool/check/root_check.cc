#include "imgtool/check/root_check.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "formats/check/checked_files.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/notify.pb.h"
#include "formats/proto/sockets_unix.pb.h"
#include "imgtool/build_id.h"

namespace ckpt {

namespace {

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"root-file", kError, "the root filesystem has the file", "", nullptr},
    {"root-mode", kError, "kind and permissions of the file are those of the dump", "", nullptr},
    {"root-size", kError, "the size of the file is that of the dump", "", nullptr},
    {"root-build-id", kError, "the build id of the program is that of the dump", "", nullptr},
    {"root-watch", kError, "the root filesystem has what is watched by its path", "", nullptr},
    {"root-mount", kNote, "the file lies on the root filesystem", "", nullptr},
};
enum RuleIndex { kFile, kMode, kSize, kBuildId, kWatch, kMount };

// Where the files of a dump lie in its root filesystem.
class RootView {
 public:
  explicit RootView(const CheckedDump& dump) {
    std::map<uint32_t, const pb::mnt_entry*> parents;
    dump.ForEach<pb::mnt_entry>(ImageType::kMnts, [&](const EntryRef<pb::mnt_entry>& mount) {
      mounts_.try_emplace(mount.message->mnt_id(), mount.message);
    });
    for (const auto& [mnt_id, mount] : mounts_) {
      const bool has_parent =
          mount->parent_mnt_id() != mnt_id && mounts_.contains(mount->parent_mnt_id());
      if (!has_parent && mount->mountpoint() == "/") roots_.push_back(mount);
    }
  }

  // Null for a mount that is not in the dump.
  const pb::mnt_entry* Find(int64_t mnt_id) const {
    if (mnt_id < 0) return nullptr;
    const auto found = mounts_.find(static_cast<uint32_t>(mnt_id));
    return found == mounts_.end() ? nullptr : found->second;
  }

  // Nothing where the file lies on another file system.
  std::optional<std::string> InRoot(const pb::mnt_entry* mount, const std::string& path) const {
    if (mount == nullptr) return path;
    for (const pb::mnt_entry* root : roots_) {
      if (root == mount) return path;
      const bool is_same = root->root_dev() == mount->root_dev() &&
                           root->fstype() == mount->fstype() && !mount->has_ext_key() &&
                           !mount->ext_mount();
      if (!is_same) continue;
      const auto inside = Below(path, mount->mountpoint());
      const auto directory = Below(mount->root(), root->root());
      if (inside && directory) return *directory + *inside;
    }
    return std::nullopt;
  }

 private:
  // "/x/y" of "/a/x/y" below "/a"; "" for the same.
  static std::optional<std::string> Below(const std::string& path, const std::string& directory) {
    const std::string stem = directory == "/" ? "" : directory;
    if (!path.starts_with(stem)) return std::nullopt;
    std::string rest = path.substr(stem.size());
    if (!rest.empty() && rest[0] != '/') return std::nullopt;
    return rest;
  }

  std::map<uint32_t, const pb::mnt_entry*> mounts_;
  std::vector<const pb::mnt_entry*> roots_;
};

std::string WordsText(const std::vector<int64_t>& words) {
  std::string text;
  for (const int64_t word : words) {
    // Bytes as they are in the file.
    text += fmt::format("{:08x}", __builtin_bswap32(static_cast<uint32_t>(word)));
  }
  return text.empty() ? "none" : text;
}

CheckPlace PlaceOf(const CheckedFile& file) { return {file.image->file_name, file.index}; }

class Comparison {
 public:
  Comparison(const CheckedDump& dump, const RootFiles& root)
      : dump_(dump), root_(root), view_(dump), files_(dump) {
    dump.ForEach<pb::remap_file_path_entry>(ImageType::kRemapFpath,
                                            [&](const EntryRef<pb::remap_file_path_entry>& remap) {
                                              remapped_.insert(remap.message->orig_id());
                                              // Of a ghost it is the number of an image.
                                              if (remap.message->remap_type() == pb::LINKED) {
                                                remapped_.insert(remap.message->remap_id());
                                              }
                                            });
  }

  Result<std::vector<CheckFinding>> Run() {
    files_.ForEach<pb::reg_file_entry>([&](const CheckedFile& file, const pb::reg_file_entry& reg) {
      if (!failure_) Keep(CompareFile(file, reg));
    });
    files_.ForEach<pb::unix_sk_entry>(
        [&](const CheckedFile& file, const pb::unix_sk_entry& socket) {
          if (!failure_) Keep(CompareSocket(file, socket));
        });
    CompareWatches();
    if (failure_) return *failure_;
    AddMountNotes();
    return std::move(findings_);
  }

 private:
  void Keep(Result<> result) {
    if (result.has_error()) failure_ = std::move(result).error();
  }

  void Add(RuleIndex rule, const CheckedFile& file, std::string field, std::string found,
           std::string expected) {
    findings_.push_back({&kRules[rule], file.image->file_name, file.index,
                         std::string(file.prefix) + std::move(field), std::move(found),
                         std::move(expected)});
  }

  // Where to look for a path; nothing where it is on another file system, which is noted.
  std::optional<std::string> Locate(bool has_mnt_id, int64_t mnt_id, const std::string& path) {
    const pb::mnt_entry* mount = has_mnt_id ? view_.Find(mnt_id) : nullptr;
    auto place = view_.InRoot(mount, path);
    if (!place) ++elsewhere_[mount];
    return place;
  }

  Result<> CompareFile(const CheckedFile& file, const pb::reg_file_entry& reg) {
    if (reg.ext() || remapped_.contains(file.id) || !reg.name().starts_with('/')) return success();
    const auto path = Locate(reg.has_mnt_id(), reg.mnt_id(), reg.name());
    if (!path) return success();
    CKPT_TRY(const auto found, root_.Find(*path, reg.build_id_size() > 0));
    if (!found) {
      Add(kFile, file, "name", fmt::format("{} is not there", *path), "the file");
    } else {
      CompareFacts(file, reg, *path, *found);
    }
    return success();
  }

  void CompareFacts(const CheckedFile& file, const pb::reg_file_entry& reg, const std::string& path,
                    const RootFile& found) {
    if (reg.has_mode() && reg.mode() != found.mode) {
      Add(kMode, file, "mode", fmt::format("{} has {:#o}", path, found.mode),
          fmt::format("{:#o}", reg.mode()));
    }
    if (!S_ISREG(found.mode)) return;
    if (reg.has_size() && reg.size() != found.size_bytes) {
      Add(kSize, file, "size", fmt::format("{} has {} bytes", path, found.size_bytes),
          fmt::format("{}", reg.size()));
    }
    const std::vector<int64_t> dumped(reg.build_id().begin(), reg.build_id().end());
    const std::vector<int64_t> words = BuildIdWords(found.build_id.value_or(""));
    if (!dumped.empty() && dumped != words) {
      Add(kBuildId, file, "build_id", fmt::format("{} has {}", path, WordsText(words)),
          WordsText(dumped));
    }
  }

  // The socket itself is made by the restorer; its directory is not.
  Result<> CompareSocket(const CheckedFile& file, const pb::unix_sk_entry& socket) {
    const std::string name = socket.name().substr(0, socket.name().find('\0'));
    if (name.empty() || socket.deleted()) return success();
    const std::string whole =
        name.starts_with('/') ? name : fmt::format("{}/{}", socket.name_dir(), name);
    if (!whole.starts_with('/')) return success();
    const std::string directory = whole.substr(0, std::max<size_t>(1, whole.rfind('/')));
    const auto path = Locate(socket.has_mnt_id(), socket.mnt_id(), directory);
    if (!path) return success();
    CKPT_TRY(const auto found, root_.Find(*path, false));
    if (found && (S_ISDIR(found->mode) || S_ISLNK(found->mode))) return success();
    Add(kFile, file, "name", fmt::format("{} is not there", *path), "the directory of the socket");
    return success();
  }

  // Restorers open what is watched by its path, where the dump has one and not the file itself.
  void CompareWatches() {
    dump_.ForEach<pb::ghost_file_entry>(
        ImageType::kGhostFile, [&](const EntryRef<pb::ghost_file_entry>& ghost) {
          if (!ghost.message->has_ino() || !ghost.message->has_dev()) return;
          ghosts_.insert({ghost.message->dev(), ghost.message->ino()});
        });
    files_.ForEach<pb::inotify_file_entry>(
        [&](const CheckedFile& file, const pb::inotify_file_entry& inotify) {
          for (int i = 0; i < inotify.wd_size(); ++i) {
            CompareWatch(PlaceOf(file), fmt::format("{}wd[{}].", file.prefix, i), inotify.wd(i));
          }
        });
    files_.ForEach<pb::fanotify_file_entry>([&](const CheckedFile& file,
                                                const pb::fanotify_file_entry& fanotify) {
      for (int i = 0; i < fanotify.mark_size(); ++i) {
        CompareMark(PlaceOf(file), fmt::format("{}mark[{}].", file.prefix, i), fanotify.mark(i));
      }
    });
    // Of older dumps.
    dump_.ForEach<pb::inotify_wd_entry>(ImageType::kInotifyWd,
                                        [&](const EntryRef<pb::inotify_wd_entry>& watch) {
                                          CompareWatch(watch, "", *watch.message);
                                        });
    dump_.ForEach<pb::fanotify_mark_entry>(ImageType::kFanotifyMark,
                                           [&](const EntryRef<pb::fanotify_mark_entry>& mark) {
                                             CompareMark(mark, "", *mark.message);
                                           });
  }

  void CompareWatch(const CheckPlace& place, const std::string& prefix,
                    const pb::inotify_wd_entry& watch) {
    if (ghosts_.contains({watch.s_dev(), watch.i_ino()})) return;
    CompareHandle(place, prefix + "f_handle.path", watch.f_handle());
  }

  void CompareMark(const CheckPlace& place, const std::string& prefix,
                   const pb::fanotify_mark_entry& mark) {
    if (mark.has_me() && mark.me().has_path()) {
      CompareWatched(place, prefix + "me.path", mark.me().mnt_id(), mark.me().path());
    }
    if (!mark.has_ie() || ghosts_.contains({mark.s_dev(), mark.ie().i_ino()})) return;
    CompareHandle(place, prefix + "ie.f_handle.path", mark.ie().f_handle());
  }

  void CompareHandle(const CheckPlace& place, const std::string& field,
                     const pb::fh_entry& handle) {
    const int64_t mnt_id = handle.has_mnt_id() ? int64_t{handle.mnt_id()} : -1;
    if (handle.has_path()) CompareWatched(place, field, mnt_id, handle.path());
  }

  void CompareWatched(const CheckPlace& place, const std::string& field, int64_t mnt_id,
                      const std::string& watched) {
    if (failure_ || !watched.starts_with('/')) return;
    const auto path = Locate(true, mnt_id, watched);
    if (!path) return;
    auto found = root_.Find(*path, false);
    if (found.has_error()) {
      failure_ = std::move(found).error();
    } else if (!found.value()) {
      findings_.push_back({&kRules[kWatch], std::string(place.image), place.entry, field,
                           fmt::format("{} is not there", *path), "what is watched"});
    }
  }

  void AddMountNotes() {
    for (const CheckedImage& image : dump_.ImagesOf(ImageType::kMnts)) {
      dump_.ForEachIn<pb::mnt_entry>(image, [&](const EntryRef<pb::mnt_entry>& mount) {
        const auto found = elsewhere_.find(mount.message);
        if (found == elsewhere_.end()) return;
        findings_.push_back(
            {&kRules[kMount], image.file_name, mount.index, "mountpoint",
             fmt::format("{} with {} file{} of the dump, not compared", mount.message->mountpoint(),
                         found->second, found->second == 1 ? "" : "s"),
             ""});
      });
    }
  }

  const CheckedDump& dump_;
  const RootFiles& root_;
  RootView view_;
  CheckedFiles files_;
  std::set<uint32_t> remapped_;
  std::set<std::pair<uint32_t, uint64_t>> ghosts_;  // device and inode
  std::map<const pb::mnt_entry*, size_t> elsewhere_;
  std::vector<CheckFinding> findings_;
  std::optional<Error> failure_;
};

}  // namespace

std::span<const CheckRule> RootRules() { return kRules; }

Result<std::vector<CheckFinding>> CheckRoot(const CheckedDump& dump, const RootFiles& root) {
  return Comparison(dump, root).Run();
}

}  // namespace ckpt
