#include "imgtool/dumped_names.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "formats/proto/files.pb.h"
#include "formats/proto/notify.pb.h"
#include "formats/proto/sockets_unix.pb.h"

namespace ckpt {

namespace {

constexpr size_t kLongestPathBytes = 4095;
constexpr size_t kLongestSocketNameBytes = 107;  // sun_path of unix(7), with a NUL behind
constexpr uint32_t kMinorBits = 20;

class Collector {
 public:
  Collector(const std::string& file_name, DumpedNames& names)
      : file_name_(file_name), names_(names) {}

  void AddFile(size_t entry, const pb::file_entry& file) {
    if (file.has_usk()) AddSocket({file_name_, entry}, "usk.", file.usk());
    for (int i = 0; i < file.ify().wd_size(); ++i) {
      AddInotify({file_name_, entry}, fmt::format("ify.wd[{}].", i), file.ify().wd(i));
    }
    for (int i = 0; i < file.ffy().mark_size(); ++i) {
      AddFanotify({file_name_, entry}, fmt::format("ffy.mark[{}].", i), file.ffy().mark(i));
    }
  }

  // The names of sockets that a path names: "" is unnamed, a NUL in front is an abstract name, a
  // relative one counts from `name_dir`.
  void AddSocket(const EntryPlace& place, const std::string& prefix,
                 const pb::unix_sk_entry& socket) {
    std::optional<int64_t> mnt_id;
    if (socket.has_mnt_id() && socket.mnt_id() >= 0) mnt_id = socket.mnt_id();
    const std::string& name = socket.name();
    const size_t end = std::min(name.find('\0'), name.size());
    if (name.starts_with('/')) {
      names_.names.push_back({place, prefix + "name", prefix + "mnt_id", name.substr(0, end),
                              name.substr(end), kLongestSocketNameBytes, mnt_id});
    }
    if (!socket.name_dir().starts_with('/')) return;
    const std::string mnt_id_field = name.starts_with('/') ? "" : prefix + "mnt_id";
    names_.names.push_back({place, prefix + "name_dir", mnt_id_field, socket.name_dir(), "",
                            kLongestPathBytes, mnt_id});
  }

  void AddInotify(const EntryPlace& place, const std::string& prefix,
                  const pb::inotify_wd_entry& watch) {
    names_.devices.push_back({place, prefix + "s_dev", watch.s_dev()});
    AddHandle(place, prefix + "f_handle", watch.f_handle(), watch.s_dev(), watch.i_ino());
  }

  void AddFanotify(const EntryPlace& place, const std::string& prefix,
                   const pb::fanotify_mark_entry& mark) {
    names_.devices.push_back({place, prefix + "s_dev", mark.s_dev()});
    if (mark.has_ie()) {
      AddHandle(place, prefix + "ie.f_handle", mark.ie().f_handle(), mark.s_dev(),
                mark.ie().i_ino());
    }
    if (mark.me().path().starts_with('/')) {
      names_.names.push_back({place, prefix + "me.path", prefix + "me.mnt_id", mark.me().path(), "",
                              kLongestPathBytes, int64_t{mark.me().mnt_id()}});
    }
  }

  void AddIrmap(size_t entry, const pb::irmap_cache_entry& cached) {
    const uint32_t device = major(cached.dev()) << kMinorBits | minor(cached.dev());
    names_.inode_paths.push_back({device, cached.inode(), cached.path()});
    if (!cached.path().starts_with('/')) return;
    names_.names.push_back(
        {{file_name_, entry}, "path", "", cached.path(), "", kLongestPathBytes, std::nullopt});
  }

  void AddGhost(size_t entry, const pb::ghost_file_entry& ghost) {
    if (ghost.has_dev()) names_.devices.push_back({{file_name_, entry}, "dev", ghost.dev()});
  }

  EntryPlace Place(size_t entry) const { return {file_name_, entry}; }

 private:
  void AddHandle(const EntryPlace& place, std::string field, const pb::fh_entry& handle,
                 uint32_t device, uint64_t inode) {
    const bool has_path = handle.path().starts_with('/');
    if (has_path) {
      std::optional<int64_t> mnt_id;
      if (handle.has_mnt_id()) mnt_id = int64_t{handle.mnt_id()};
      names_.names.push_back({place, field + ".path", field + ".mnt_id", handle.path(), "",
                              kLongestPathBytes, mnt_id});
    }
    names_.watches.push_back(
        {place, std::move(field), device, inode, has_path, handle.has_mnt_id()});
  }

  const std::string& file_name_;
  DumpedNames& names_;
};

// Calls `add` with the number and the message of each entry of type M.
template <typename M, typename Add>
Result<> ForEach(const ImageFile& image, const Add& add) {
  CKPT_TRY(const auto entries, ParseEntries<M>(image));
  for (size_t i = 0; i < entries.size(); ++i) add(i, entries[i]);
  return success();
}

}  // namespace

Result<> AddNames(const ImageFile& image, const std::string& file_name, DumpedNames& names) {
  Collector collector(file_name, names);
  switch (image.type()) {
    case ImageType::kFiles:
      return ForEach<pb::file_entry>(
          image, [&](size_t i, const auto& file) { collector.AddFile(i, file); });
    case ImageType::kUnixsk:
      return ForEach<pb::unix_sk_entry>(image, [&](size_t i, const auto& socket) {
        collector.AddSocket(collector.Place(i), "", socket);
      });
    case ImageType::kInotifyWd:
      return ForEach<pb::inotify_wd_entry>(image, [&](size_t i, const auto& watch) {
        collector.AddInotify(collector.Place(i), "", watch);
      });
    case ImageType::kFanotifyMark:
      return ForEach<pb::fanotify_mark_entry>(image, [&](size_t i, const auto& mark) {
        collector.AddFanotify(collector.Place(i), "", mark);
      });
    case ImageType::kIrmapCache:
      return ForEach<pb::irmap_cache_entry>(
          image, [&](size_t i, const auto& cached) { collector.AddIrmap(i, cached); });
    case ImageType::kGhostFile:
      return ForEach<pb::ghost_file_entry>(
          image, [&](size_t i, const auto& ghost) { collector.AddGhost(i, ghost); });
    default:
      return success();
  }
}

}  // namespace ckpt
