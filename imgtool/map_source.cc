#include "imgtool/map_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "formats/image_type.h"
#include "imgtool/branch_lists.h"
#include "imgtool/branch_map_of_facts.h"
#include "imgtool/branch_map_text.h"
#include "imgtool/branch_options.h"
#include "imgtool/facts_reader.h"
#include "imgtool/mount_lists.h"
#include "imgtool/octal_text.h"
#include "imgtool/podman_layers.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

// More than the largest map that can be true: 32767 branches of 4095 escaped bytes.
constexpr size_t kMaxMapBytes = size_t{1} << 30;

Error NoSource(const std::string& source) {
  return MakeError(
      ErrorCode::kUnsupported,
      "{}: none of the sources of branches: a branch map, a dump of ckpt-dump, a copy of "
      "/sys/fs/aufs/si_*, the log of a CRIU dump, aufs/layers/ID or overlay2/ID of Docker, "
      "overlay/ID or overlay-layers/layers.json#ID of podman, JSON of inspect, mount options or "
      "lines of mountinfo",
      EscapeOctal(source));
}

bool IsBranchMapText(std::string_view text) {
  while (!text.empty()) {
    const size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return false;
    text.remove_prefix(begin);
    if (text[0] != '#') return text.starts_with(kBranchMapWord);
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
  return false;
}

Result<BranchMap> ReadText(std::string_view text, const std::string& name) {
  if (IsBranchMapText(text)) return ParseBranchMap(text, name);
  for (const auto& read : {ReadInspectJson, ReadAufsLines, ReadMountLines}) {
    CKPT_TRY(auto unions, read(text, name));
    if (unions) return BranchMap{std::move(*unions)};
  }
  return NoSource(name);
}

constexpr std::string_view kPodmanList = "layers.json";

Result<BranchMap> ReadLayersOf(const std::string& path, const std::string& layer) {
  CKPT_TRY(auto unions, ReadPodmanLayers(path, layer));
  if (unions) return BranchMap{std::move(*unions)};
  return NoSource(path);
}

Result<BranchMap> ReadFile(const std::string& path) {
  if (path.ends_with(kPodmanList)) return ReadLayersOf(path, "");
  CKPT_TRY(auto unions, ReadDockerAufsLayers(path));
  if (unions) return BranchMap{std::move(*unions)};
  CKPT_TRY(const std::string text, ReadWholeFile(path, kMaxMapBytes));
  return ReadText(text, path);
}

bool IsDump(const std::string& directory) {
  std::error_code problem;
  return fs::exists(directory + "/" + ImageFileName(ImageType::kInventory, 0), problem) ||
         fs::exists(directory + "/" + ImageFileName(ImageType::kFiles, 0), problem);
}

Result<BranchMap> ReadDirectory(const std::string& path) {
  if (IsDump(path)) {
    CKPT_TRY(const DumpFacts facts, ReadDumpFacts(path));
    return BranchMapOfFacts(facts.unions);
  }
  for (const auto& read : {ReadAufsSysfs, ReadOverlayLayerDirectory}) {
    CKPT_TRY(auto unions, read(path));
    if (unions) return BranchMap{std::move(*unions)};
  }
  return NoSource(path);
}

// "si=ID" among options, as a whole option.
bool HasSi(std::string_view options, const std::string& si) {
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(option.size() + 1, options.size()));
    if (option.starts_with("si=") && option.substr(3) == si) return true;
  }
  return false;
}

class Placer {
 public:
  explicit Placer(const DumpFacts& facts) : facts_(facts) {}

  // Whether the dump has the union.
  bool Place(MapUnion& mount) const {
    if (!mount.si.empty() && (PlaceByMounts(mount) || PlaceByRecord(mount))) return true;
    if (mount.device && PlaceByMounts(mount)) return true;
    return mount.si.empty() && !mount.device;
  }

  // Where the tasks of the dump are in one namespace of their own, whose root is a union.
  void PlaceAtRoot(MapUnion& mount) const {
    const auto& namespaces = facts_.mounts.namespaces();
    if (namespaces.size() != 1 || facts_.shared_mnt_ns_id == namespaces.begin()->first) return;
    const uint32_t mnt_ns_id = namespaces.begin()->first;
    if (facts_.mounts.FindUnion(mnt_ns_id, mount) != nullptr) return;
    const DumpedMount* root = facts_.mounts.Owner(mnt_ns_id, "/");
    if (root != nullptr && CanBeUnion(root->origin)) PlaceAt(mnt_ns_id, root->origin, mount);
  }

  // A task that unshared its mount namespace still has the union: it is one of the map there, too.
  void PlaceInOtherNamespaces(std::vector<MapUnion>& unions) const {
    for (size_t i = 0, said = unions.size(); i < said; ++i) {
      if (!unions[i].mnt_ns_id) continue;
      const DumpedMount* placed = facts_.mounts.FindUnion(*unions[i].mnt_ns_id, unions[i]);
      if (placed == nullptr) continue;
      for (const auto& [mnt_ns_id, mounts] : facts_.mounts.namespaces()) {
        const DumpedMount* there = FindWidest(mounts, *placed);
        if (there == nullptr || HasUnionAt(unions, mnt_ns_id, *there)) continue;
        MapUnion copy = unions[i];
        copy.id = fmt::format("{}:{}", mnt_ns_id, copy.id);
        PlaceAt(mnt_ns_id, there->origin, copy);
        unions.push_back(std::move(copy));
      }
    }
  }

 private:
  // Whether one of them is that of the superblock in the namespace.
  bool HasUnionAt(const std::vector<MapUnion>& unions, uint32_t mnt_ns_id,
                  const DumpedMount& there) const {
    return std::ranges::any_of(unions, [&](const MapUnion& one) {
      const DumpedMount* mount =
          one.mnt_ns_id == mnt_ns_id ? facts_.mounts.FindUnion(mnt_ns_id, one) : nullptr;
      return mount != nullptr && SameSuperblock(mount->origin, there.origin);
    });
  }

  static void PlaceAt(uint32_t mnt_ns_id, const pb::mnt_entry& entry, MapUnion& mount) {
    mount.mnt_ns_id = mnt_ns_id;
    mount.mnt_id = entry.mnt_id();
    mount.mountpoint = entry.mountpoint();
  }

  bool IsIt(const pb::mnt_entry& entry, const MapUnion& mount) const {
    if (!CanBeUnion(entry)) return false;
    if (!mount.si.empty()) return HasSi(entry.options(), mount.si);
    return mount.device == entry.root_dev();
  }

  // In the namespace that the map says, where that has the union.
  bool PlaceByMounts(MapUnion& mount) const {
    const auto& namespaces = facts_.mounts.namespaces();
    const auto said = mount.mnt_ns_id ? namespaces.find(*mount.mnt_ns_id) : namespaces.end();
    if (said != namespaces.end() && PlaceInOneOf(said, std::next(said), mount)) return true;
    return PlaceInOneOf(namespaces.begin(), namespaces.end(), mount);
  }

  using Namespaces = std::map<uint32_t, std::vector<DumpedMount>>::const_iterator;

  // The mount of the whole union rather than a bind mount of a part of it.
  bool PlaceInOneOf(Namespaces first, Namespaces last, MapUnion& mount) const {
    const pb::mnt_entry* found = nullptr;
    uint32_t found_in = 0;
    for (; first != last; ++first) {
      for (const DumpedMount& candidate : first->second) {
        if (!IsIt(candidate.origin, mount)) continue;
        if (found != nullptr && found->root().size() <= candidate.origin.root().size()) continue;
        found = &candidate.origin;
        found_in = first->first;
      }
    }
    if (found != nullptr) PlaceAt(found_in, *found, mount);
    return found != nullptr;
  }

  // The mount of the superblock in the namespace that shows most of it.
  static const DumpedMount* FindWidest(const std::vector<DumpedMount>& mounts,
                                       const DumpedMount& of) {
    const DumpedMount* widest = nullptr;
    for (const DumpedMount& mount : mounts) {
      if (!SameSuperblock(mount.origin, of.origin)) continue;
      const bool is_wider =
          widest == nullptr || mount.origin.root().size() < widest->origin.root().size();
      if (is_wider) widest = &mount;
    }
    return widest;
  }

  bool PlaceByRecord(MapUnion& mount) const {
    for (const RecordedUnion& recorded : facts_.unions) {
      if (recorded.entry.id() != mount.si) continue;
      mount.mnt_ns_id = recorded.entry.mnt_ns_id();
      mount.mnt_id = static_cast<uint32_t>(recorded.entry.mnt_id());
      mount.mountpoint = recorded.entry.mountpoint();
      return true;
    }
    return false;
  }

  const DumpFacts& facts_;
};

}  // namespace

Result<BranchMap> ReadMapSource(const std::string& source) {
  std::error_code problem;
  const fs::file_status status = fs::status(source, problem);
  if (fs::is_directory(status)) return ReadDirectory(source);
  if (fs::exists(status)) return ReadFile(source);
  if (const size_t hash = source.rfind('#'); hash != std::string::npos) {
    const std::string list = source.substr(0, hash);
    const bool is_list = list.ends_with(kPodmanList) && fs::exists(list, problem);
    if (is_list) return ReadLayersOf(list, source.substr(hash + 1));
  }
  const bool is_text = IsBranchMapText(source) || HasUnionOptions(source) ||
                       source.find_first_of(" \n") != std::string::npos;
  if (!is_text) return MakeError(ErrorCode::kNotFound, "{}: no such file", EscapeOctal(source));
  return ReadText(source, "the command line");
}

Result<BranchMap> PlaceUnions(BranchMap map, const DumpFacts& facts) {
  const Placer placer(facts);
  if (map.unions.size() == 1) {
    const bool is_placed = placer.Place(map.unions[0]) && map.unions[0].mountpoint == "/";
    if (!is_placed && !map.unions[0].mountpoint_is_sure) placer.PlaceAtRoot(map.unions[0]);
  } else {
    std::erase_if(map.unions, [&](MapUnion& mount) {
      return !placer.Place(mount) && !mount.mountpoint_is_sure;
    });
    if (map.unions.empty()) {
      return MakeError(ErrorCode::kNotFound,
                       "the dump has none of the unions of the map: no mount of it has one of "
                       "their ids or devices");
    }
  }
  placer.PlaceInOtherNamespaces(map.unions);
  CKPT_TRY(CheckBranchMap(map));
  return map;
}

}  // namespace ckpt
