#include "formats/check/event_rules.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/check/checked_files.h"
#include "formats/check/checked_tasks.h"
#include "formats/proto/event_files.pb.h"
#include "formats/proto/notify.pb.h"

namespace ckpt {

namespace {

using RemapRef = EntryRef<pb::remap_file_path_entry>;

constexpr uint64_t kNanoseconds = 1'000'000'000;

CheckPlace PlaceOf(const CheckedFile& file) { return {file.image->file_name, file.index}; }

std::string In(const CheckedFile& file, std::string_view field) {
  return std::string(file.prefix) + std::string(field);
}

// For each file that descriptors refer to, all descriptors that its tables have.
class TablesOfFiles {
 public:
  explicit TablesOfFiles(const CheckedDump& dump) {
    for (const CheckedImage& image : dump.ImagesOf(ImageType::kFdinfo)) {
      std::set<uint32_t>& table = tables_.emplace_back();
      dump.ForEachIn<pb::fdinfo_entry>(image, [&](const EntryRef<pb::fdinfo_entry>& fd) {
        table.insert(fd.message->fd());
        by_file_[fd.message->id()].insert(tables_.size() - 1);
      });
    }
  }

  bool IsHeld(uint32_t file) const { return by_file_.contains(file); }

  // Whether a table with the file has the descriptor, too.
  bool HasBoth(uint32_t file, uint32_t fd) const {
    const auto holders = by_file_.find(file);
    if (holders == by_file_.end()) return false;
    for (const size_t table : holders->second) {
      if (tables_[table].contains(fd)) return true;
    }
    return false;
  }

 private:
  std::vector<std::set<uint32_t>> tables_;
  std::map<uint32_t, std::set<size_t>> by_file_;
};

void CheckEpollTargets(CheckRun& run) {
  if (!run.dump().AreWhole(ImageType::kFdinfo)) return;
  const TablesOfFiles tables(run.dump());
  const auto check = [&](const CheckPlace& place, const std::string& field, uint32_t epoll,
                         uint32_t target) {
    if (!tables.IsHeld(epoll) || tables.HasBoth(epoll, target)) return;
    run.Add(place, field, fmt::format("{}", target), "a descriptor beside the one of the epoll");
  };
  run.files().ForEach<pb::eventpoll_file_entry>([&](const CheckedFile& file,
                                                    const pb::eventpoll_file_entry& epoll) {
    for (int i = 0; i < epoll.tfd_size(); ++i) {
      check(PlaceOf(file), In(file, fmt::format("tfd[{}].tfd", i)), file.id, epoll.tfd(i).tfd());
    }
  });
  run.dump().ForEach<pb::eventpoll_tfd_entry>(
      ImageType::kEventpollTfd, [&](const EntryRef<pb::eventpoll_tfd_entry>& entry) {
        check(entry, "tfd", entry.message->id(), entry.message->tfd());
      });
}

// In older dumps what is watched is in images of its own.
template <typename M>
void CheckOwners(CheckRun& run, ImageType type, pb::fd_types owner) {
  run.dump().ForEach<M>(type, [&](const EntryRef<M>& entry) {
    const CheckedFile* file = run.files().Find(entry.message->id());
    if (file == nullptr ? !run.files().are_whole() : file->type == owner) return;
    run.Add(entry, "id", fmt::format("{}", entry.message->id()),
            fmt::format("a file of type {}", FileTypeName(owner)));
  });
}

void CheckWatchOwners(CheckRun& run) {
  CheckOwners<pb::eventpoll_tfd_entry>(run, ImageType::kEventpollTfd, pb::EVENTPOLL);
  CheckOwners<pb::inotify_wd_entry>(run, ImageType::kInotifyWd, pb::INOTIFY);
  CheckOwners<pb::fanotify_mark_entry>(run, ImageType::kFanotifyMark, pb::FANOTIFY);
}

void CheckWatchesUnique(CheckRun& run) {
  run.files().ForEach<pb::inotify_file_entry>(
      [&](const CheckedFile& file, const pb::inotify_file_entry& inotify) {
        std::set<uint32_t> seen;
        for (int i = 0; i < inotify.wd_size(); ++i) {
          if (seen.insert(inotify.wd(i).wd()).second) continue;
          run.Add(PlaceOf(file), In(file, fmt::format("wd[{}].wd", i)),
                  fmt::format("{} again", inotify.wd(i).wd()), "watches that occur once");
        }
      });
}

void CheckMarks(CheckRun& run) {
  run.files().ForEach<pb::fanotify_file_entry>(
      [&](const CheckedFile& file, const pb::fanotify_file_entry& fanotify) {
        for (int i = 0; i < fanotify.mark_size(); ++i) {
          const pb::fanotify_mark_entry& mark = fanotify.mark(i);
          const bool is_whole = mark.type() == pb::INODE ? mark.has_ie() : mark.has_me();
          if (is_whole) continue;
          run.Add(PlaceOf(file), In(file, fmt::format("mark[{}].type", i)),
                  mark.type() == pb::INODE ? "an inode, without ie" : "a mount, without me",
                  "the field of the type");
        }
      });
}

void CheckTimerfds(CheckRun& run) {
  run.files().ForEach<pb::timerfd_entry>([&](const CheckedFile& file,
                                             const pb::timerfd_entry& timer) {
    const auto check = [&](const char* field, uint64_t nanoseconds) {
      if (nanoseconds < kNanoseconds) return;
      run.Add(PlaceOf(file), In(file, field), fmt::format("{}", nanoseconds), "less than a second");
    };
    check("vnsec", timer.vnsec());
    check("insec", timer.insec());
  });
}

void CheckRemapFiles(CheckRun& run) {
  const auto check = [&](const RemapRef& remap, const char* field, uint32_t id) {
    if (run.files().Find(id) != nullptr || !run.files().are_whole()) return;
    run.Add(remap, field, fmt::format("{}", id), "a file of files.img");
  };
  run.dump().ForEach<pb::remap_file_path_entry>(ImageType::kRemapFpath, [&](const RemapRef& remap) {
    check(remap, "orig_id", remap.message->orig_id());
    if (remap.message->remap_type() == pb::LINKED) {
      check(remap, "remap_id", remap.message->remap_id());
    }
  });
}

void CheckRemapsUnique(CheckRun& run) {
  std::set<uint32_t> seen;
  run.dump().ForEach<pb::remap_file_path_entry>(ImageType::kRemapFpath, [&](const RemapRef& remap) {
    if (seen.insert(remap.message->orig_id()).second) return;
    run.Add(remap, "orig_id", fmt::format("{} again", remap.message->orig_id()),
            "files that occur once");
  });
}

void CheckGhostsThere(CheckRun& run) {
  run.dump().ForEach<pb::remap_file_path_entry>(ImageType::kRemapFpath, [&](const RemapRef& remap) {
    const uint32_t id = remap.message->remap_id();
    if (remap.message->remap_type() != pb::GHOST || run.dump().Has(ImageType::kGhostFile, id)) {
      return;
    }
    run.Add(remap, "remap_id",
            fmt::format("{}, but there is no {}", id, ImageFileName(ImageType::kGhostFile, id)),
            "the file that was deleted");
  });
}

void CheckGhostsUsed(CheckRun& run) {
  if (!run.dump().AreWhole(ImageType::kRemapFpath)) return;
  std::set<uint64_t> used;
  run.dump().ForEach<pb::remap_file_path_entry>(ImageType::kRemapFpath, [&](const RemapRef& remap) {
    if (remap.message->remap_type() == pb::GHOST) used.insert(remap.message->remap_id());
  });
  for (const CheckedImage& image : run.dump().ImagesOf(ImageType::kGhostFile)) {
    if (used.contains(image.name.id)) continue;
    run.Add(CheckPlace(image.file_name), "", "a deleted file that remap-fpath.img does not name",
            "a file that it is the content of");
  }
}

struct Watch {
  CheckPlace place;
  std::string field;
  uint32_t device;
};

// Watches on inodes: one for each inode, and all pairs of inode and device.
struct Watches {
  std::map<uint64_t, Watch> by_inode;
  std::set<std::pair<uint64_t, uint32_t>> inodes;

  void Add(uint64_t inode, const Watch& watch) {
    inodes.insert({inode, watch.device});
    by_inode.try_emplace(inode, watch);
  }
};

Watches WatchesOf(CheckRun& run) {
  Watches watches;
  run.files().ForEach<pb::inotify_file_entry>(
      [&](const CheckedFile& file, const pb::inotify_file_entry& inotify) {
        for (int i = 0; i < inotify.wd_size(); ++i) {
          const pb::inotify_wd_entry& watch = inotify.wd(i);
          const std::string field = In(file, fmt::format("wd[{}].s_dev", i));
          watches.Add(watch.i_ino(), {PlaceOf(file), field, watch.s_dev()});
        }
      });
  run.files().ForEach<pb::fanotify_file_entry>(
      [&](const CheckedFile& file, const pb::fanotify_file_entry& fanotify) {
        for (int i = 0; i < fanotify.mark_size(); ++i) {
          const pb::fanotify_mark_entry& mark = fanotify.mark(i);
          if (!mark.has_ie()) continue;
          const std::string field = In(file, fmt::format("mark[{}].s_dev", i));
          watches.Add(mark.ie().i_ino(), {PlaceOf(file), field, mark.s_dev()});
        }
      });
  return watches;
}

// A watch on a deleted file is found by device and inode. A file on another device may have the
// same inode; what is found is then worth a look all the same.
void CheckGhostWatches(CheckRun& run) {
  const Watches watches = WatchesOf(run);
  if (watches.inodes.empty()) return;
  run.dump().ForEach<pb::ghost_file_entry>(
      ImageType::kGhostFile, [&](const EntryRef<pb::ghost_file_entry>& ghost) {
        if (!ghost.message->has_ino() || !ghost.message->has_dev()) return;
        const uint64_t inode = ghost.message->ino();
        const auto found = watches.by_inode.find(inode);
        if (found == watches.by_inode.end()) return;
        if (watches.inodes.contains({inode, ghost.message->dev()})) return;
        const Watch& watch = found->second;
        run.Add(watch.place, watch.field, fmt::format("{:#x}, and inode {}", watch.device, inode),
                fmt::format("device {:#x}, as {} has with that inode", ghost.message->dev(),
                            ghost.image->file_name));
      });
}

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"epoll-target", kError, "what an epoll waits for is a descriptor of its table",
     "FDINFO FILES.id FILES.epfd EVENTPOLL_TFD", CheckEpollTargets},
    {"watch-owner", kError, "watches in images of their own are of files that can watch",
     "FILES.id FILES.type EVENTPOLL_TFD INOTIFY_WD FANOTIFY_MARK", CheckWatchOwners},
    {"watch-duplicate", kError, "a watch occurs once in its inotify", "FILES.ify",
     CheckWatchesUnique},
    {"mark-type", kError, "a fanotify mark has the field of its type", "FILES.ffy", CheckMarks},
    {"timerfd-time", kError, "the nanoseconds of a timer are less than a second", "FILES.tfd",
     CheckTimerfds},
    {"remap-file", kError, "files that were deleted or renamed are in files.img",
     "REMAP_FPATH FILES.id", CheckRemapFiles},
    {"remap-duplicate", kError, "a file is remapped once", "REMAP_FPATH", CheckRemapsUnique},
    {"ghost-missing", kError, "the content of a deleted file is there", "REMAP_FPATH GHOST_FILE",
     CheckGhostsThere},
    {"ghost-unused", kError, "the content of a deleted file is of a file that there is",
     "REMAP_FPATH GHOST_FILE", CheckGhostsUsed},
    {"ghost-watch", kWarning, "a watch on a deleted file has its device",
     "GHOST_FILE FILES.ify FILES.ffy", CheckGhostWatches},
};

}  // namespace

std::span<const CheckRule> EventRules() { return kRules; }

}  // namespace ckpt
