#include "imgtool/path_repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

constexpr size_t kLongestPathBytes = 4095;

std::string Quoted(std::string_view path) { return FieldText(std::string(path)); }

bool IsPath(const pb::reg_file_entry& file) { return !file.ext() && file.name().starts_with('/'); }

bool HasMountId(const pb::reg_file_entry& file) { return file.has_mnt_id() && file.mnt_id() >= 0; }

class Finder {
 public:
  Finder(const DumpFacts& facts, const RepairRules& rules)
      : facts_(facts), rules_(rules), matcher_(*rules.map) {}

  Result<> Look(const DumpedFile& file) {
    if (!IsPath(file.entry)) return success();
    CKPT_TRY(const auto match, ChooseMatch(file));
    if (!match) return success();
    const MapUnion& mount = rules_.map->unions[match->union_index];
    CKPT_TRY(CheckName(file, mount, *match));
    CKPT_TRY(const auto evidence, FindEvidence(file, mount, *match));
    if (!evidence) return success();
    return AddRepair(file, mount, *match, *evidence);
  }

  PathRepairs Finish() && { return std::move(found_); }

 private:
  Error Refuse(const DumpedFile& file, const std::string& why) const {
    return MakeError(ErrorCode::kUnsupported, "{}: {} {}", file.place.Text(),
                     Quoted(file.entry.name()), why);
  }

  void LeaveAlone(const DumpedFile& file, const MapUnion& mount, std::string_view why) {
    found_.notes.push_back(
        {file.place.Text(), fmt::format("left alone: {} lies in a branch of union {}, but {}",
                                        Quoted(file.entry.name()), mount.id, why)});
  }

  const MapUnion& UnionOf(const BranchMatch& match) const {
    return rules_.map->unions[match.union_index];
  }

  // Whether tasks that are known to be elsewhere use the file.
  bool IsForeign(const DumpedFile& file, const BranchMatch& match) const {
    const auto& used_in = facts_.uses.Get(file.entry.id()).mnt_ns_ids;
    const auto& mnt_ns_id = UnionOf(match).mnt_ns_id;
    return mnt_ns_id && !used_in.empty() && !used_in.contains(*mnt_ns_id);
  }

  // Containers of one image share its layers. Where all that use the file have their root directory
  // in some of the unions, it is one of those.
  void PreferUnionsOfRoots(const DumpedFile& file, std::vector<BranchMatch>& matches) const {
    const auto& roots = facts_.uses.Get(file.entry.id()).roots;
    const auto has_roots = [&](const BranchMatch& match) {
      return std::ranges::all_of(roots, [&](const std::string& root) {
        return IsWithin(root, UnionOf(match).mountpoint);
      });
    };
    if (std::ranges::any_of(matches, has_roots)) std::erase_if(matches, std::not_fn(has_roots));
  }

  Result<std::optional<BranchMatch>> ChooseMatch(const DumpedFile& file) {
    std::vector<BranchMatch> matches = matcher_.Match(file.entry.name());
    if (matches.empty()) return std::optional<BranchMatch>();
    const MapUnion& first = UnionOf(matches[0]);
    std::erase_if(matches, [&](const BranchMatch& match) { return IsForeign(file, match); });
    if (matches.empty()) {
      LeaveAlone(file, first, "only tasks of other mount namespaces refer to it");
      return std::optional<BranchMatch>();
    }
    PreferUnionsOfRoots(file, matches);
    for (const BranchMatch& match : matches) {
      if (NewName(file, match) == NewName(file, matches[0])) continue;
      return Refuse(file,
                    fmt::format("lies in a branch that unions {} and {} share: it could be "
                                "{} or {}",
                                UnionOf(matches[0]).id, UnionOf(match).id,
                                Quoted(NewName(file, matches[0])), Quoted(NewName(file, match))));
    }
    return std::optional<BranchMatch>(matches[0]);
  }

  // What /proc/PID/maps calls the file, where that is another name and one of the union.
  std::optional<std::string> NameInMaps(const DumpedFile& file, const MapUnion& mount) const {
    const RecordedMapping* mapping = FindMapping(facts_, file);
    if (mapping == nullptr) return std::nullopt;
    const std::string& name = mapping->entry.maps_path();
    if (name == file.entry.name() || !IsWithin(name, mount.mountpoint)) return std::nullopt;
    if (!matcher_.Match(name).empty()) return std::nullopt;
    return name;
  }

  std::string NewName(const DumpedFile& file, const BranchMatch& match) const {
    const MapUnion& mount = UnionOf(match);
    return NameInMaps(file, mount).value_or(UnionPath(mount, match.rest));
  }

  Result<> CheckName(const DumpedFile& file, const MapUnion& mount,
                     const BranchMatch& match) const {
    const bool may_be_aufs = mount.type.empty() || mount.type == "aufs";
    if (may_be_aufs && IsReservedInAufs(match.rest)) {
      return Refuse(file, "is a name of AUFS itself and none of the union");
    }
    if (match.deleted) return Refuse(file, "is a branch that was deleted");
    const std::string computed = UnionPath(mount, match.rest);
    const std::string name = NewName(file, match);
    if (name != computed && name.ends_with(kDeletedSuffix)) {
      return Refuse(file, fmt::format("was deleted in union {}: /proc/PID/maps said {}", mount.id,
                                      Quoted(name)));
    }
    if (name.size() > kLongestPathBytes) {
      return Refuse(file, fmt::format("would become a path of {} bytes, at most {} are allowed",
                                      name.size(), kLongestPathBytes));
    }
    return success();
  }

  std::optional<std::string> StrongEvidence(const DumpedFile& file, const MapUnion& mount) const {
    if (const RecordedMapping* mapping = FindMapping(facts_, file)) {
      return fmt::format("map_files of pid {} links to it, maps says {}", mapping->entry.pid(),
                         Quoted(mapping->entry.maps_path()));
    }
    const int32_t mnt_id = file.entry.mnt_id();
    if (HasMountId(file.entry) && !facts_.mounts.empty() && !facts_.mounts.Find(mnt_id)) {
      return fmt::format("no mountpoints image lists its mount {}", mnt_id);
    }
    if (!IsWithin(file.entry.name(), mount.mountpoint)) {
      return fmt::format("no file of the union has a name outside {}", Quoted(mount.mountpoint));
    }
    return std::nullopt;
  }

  // Whether the dump says that the file was reached through a mount of the namespace.
  bool IsOwnMount(const DumpedFile& file, const MapUnion& mount) const {
    if (!HasMountId(file.entry)) return false;
    return facts_.mounts.Find(file.entry.mnt_id()) != nullptr ||
           (mount.mnt_id && file.entry.mnt_id() == static_cast<int64_t>(*mount.mnt_id));
  }

  std::optional<std::string> WeakEvidence(const DumpedFile& file) const {
    if (facts_.uses.Get(file.entry.id()).MappedOnly()) return "only mappings refer to it";
    if (rules_.map_is_explicit) return "the map says so";
    return std::nullopt;
  }

  Result<std::optional<std::string>> FindEvidence(const DumpedFile& file, const MapUnion& mount,
                                                  const BranchMatch& match) {
    if (auto strong = StrongEvidence(file, mount)) return strong;
    const auto weak = WeakEvidence(file);
    CKPT_TRY(const auto doubt, FindDoubt(file, mount, match, weak.has_value()));
    if (!doubt) return weak;
    LeaveAlone(file, mount, *doubt);
    return std::optional<std::string>();
  }

  // Why weak evidence is not enough.
  Result<std::optional<std::string>> FindDoubt(const DumpedFile& file, const MapUnion& mount,
                                               const BranchMatch& match, bool has_evidence) const {
    using Doubt = std::optional<std::string>;
    if (!has_evidence) return Doubt("nothing tells that it is not a path inside the union");
    if (IsOwnMount(file, mount)) {
      return Doubt(
          fmt::format("it was reached through mount {} of its own namespace", file.entry.mnt_id()));
    }
    if (IsWithin(mount.mountpoint, mount.branches[match.branch_index].path)) {
      return Doubt("the union is mounted inside that branch");
    }
    if (!rules_.union_has_file) return Doubt();
    CKPT_TRY(const bool exists, rules_.union_has_file(mount, file.entry.name()));
    return exists ? Doubt("the union has a file of that very name") : Doubt();
  }

  Result<> AddRepair(const DumpedFile& file, const MapUnion& mount, const BranchMatch& match,
                     const std::string& evidence) {
    PathRepair repair;
    repair.file = &file;
    repair.mount = &mount;
    repair.new_name = NewName(file, match);
    if (repair.new_name == file.entry.name()) return success();
    repair.mnt_ns_id = NamespaceOf(facts_, file, &mount);
    if (repair.mnt_ns_id) {
      repair.owner = facts_.mounts.Owner(*repair.mnt_ns_id, repair.new_name);
      const DumpedMount* union_mount = facts_.mounts.FindUnion(*repair.mnt_ns_id, mount);
      if (union_mount != nullptr && repair.owner != union_mount) {
        return Refuse(file, fmt::format("would become {}, which mount {} at {} covers",
                                        Quoted(repair.new_name), repair.owner->entry.mnt_id(),
                                        Quoted(repair.owner->entry.mountpoint())));
      }
    }
    repair.evidence = fmt::format("in branch {} of union {}, {}; {}", match.branch_index, mount.id,
                                  Quoted(mount.branches[match.branch_index].path), evidence);
    found_.repairs.push_back(std::move(repair));
    return success();
  }

  const DumpFacts& facts_;
  const RepairRules& rules_;
  BranchMatcher matcher_;
  PathRepairs found_;
};

}  // namespace

std::optional<uint32_t> NamespaceOf(const DumpFacts& facts, const DumpedFile& file,
                                    const MapUnion* mount) {
  const auto& dumped = facts.mounts.namespaces();
  if (mount != nullptr && mount->mnt_ns_id && dumped.contains(*mount->mnt_ns_id)) {
    return mount->mnt_ns_id;
  }
  for (const uint32_t used_in : facts.uses.Get(file.entry.id()).mnt_ns_ids) {
    if (dumped.contains(used_in)) return used_in;
  }
  if (dumped.size() == 1) return dumped.begin()->first;
  return std::nullopt;
}

Result<PathRepairs> FindPathRepairs(const DumpFacts& facts, const RepairRules& rules) {
  Finder finder(facts, rules);
  for (const DumpedFile& file : facts.files) CKPT_TRY(finder.Look(file));
  return std::move(finder).Finish();
}

}  // namespace ckpt
