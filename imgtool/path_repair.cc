#include "imgtool/path_repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "imgtool/union_name.h"

namespace ckpt {

namespace {

constexpr size_t kLongestPathBytes = 4095;

std::string Quoted(std::string_view path) { return FieldText(std::string(path)); }

bool IsPath(const pb::reg_file_entry& file) { return !file.ext() && file.name().starts_with('/'); }

std::optional<int64_t> MountIdOfFile(const pb::reg_file_entry& file) {
  if (!file.has_mnt_id() || file.mnt_id() < 0) return std::nullopt;
  return int64_t{file.mnt_id()};
}

std::optional<FileFacts> RecordedFacts(const pb::reg_file_entry& file) {
  if (!file.has_size() || !file.has_mode()) return std::nullopt;
  return FileFacts{file.size(), file.mode()};
}

class Finder {
 public:
  Finder(const DumpFacts& facts, const RepairRules& rules)
      : facts_(facts), rules_(rules), matcher_(*rules.map) {}

  Result<> Look(const DumpedFile& file) {
    if (!IsPath(file.entry)) return success();
    CKPT_TRY(const auto match, ChooseMatch(file));
    if (!match) return success();
    const MapUnion& mount = UnionOf(*match);
    CKPT_TRY(CheckName(file, *match));
    CKPT_TRY(const Judgement judgement,
             JudgePath(ClaimOf(file), mount, *match, facts_, rules_.evidence));
    if (!judgement.doubt.empty()) {
      LeaveAlone(file, mount, judgement.doubt);
      return success();
    }
    return AddRepair(file, mount, *match, judgement.evidence);
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

  PathClaim ClaimOf(const DumpedFile& file) const {
    return {.path = file.entry.name(),
            .mnt_id = MountIdOfFile(file.entry),
            .mapping = FindMapping(facts_, file),
            .mapped_only = facts_.uses.Get(file.entry.id()).MappedOnly()};
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
    if (matches.size() == 1) return std::optional<BranchMatch>(matches[0]);
    PreferUnionsOfRoots(file, matches);
    const std::string name = TargetOf(file, matches[0]).name;
    for (const BranchMatch& match : matches) {
      if (TargetOf(file, match).name == name) continue;
      if (AreOneUnion(facts_, UnionOf(matches[0]), UnionOf(match))) continue;
      return Refuse(file, fmt::format("lies in a branch that unions {} and {} share: it could be "
                                      "{} or {}",
                                      UnionOf(matches[0]).id, UnionOf(match).id, Quoted(name),
                                      Quoted(TargetOf(file, match).name)));
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

  UnionName TargetOf(const DumpedFile& file, const BranchMatch& match) const {
    const MapUnion& mount = UnionOf(match);
    const auto mnt_ns_id = NamespaceOf(facts_, file, &mount);
    if (auto name = NameInMaps(file, mount)) {
      return NameAsGiven(facts_, mnt_ns_id, mount, std::move(*name));
    }
    return NameOfRest(facts_, mnt_ns_id, mount, match.rest);
  }

  Result<> CheckName(const DumpedFile& file, const BranchMatch& match) const {
    if (match.deleted) return Refuse(file, "is a branch that was deleted");
    const std::string name = TargetOf(file, match).name;
    if (name.size() > kLongestPathBytes) {
      return Refuse(file, fmt::format("would become a path of {} bytes, at most {} are allowed",
                                      name.size(), kLongestPathBytes));
    }
    return success();
  }

  static bool IsOfAufsItself(const MapUnion& mount, const ResolvedFile& found) {
    const bool may_be_aufs = mount.type.empty() || mount.type == "aufs";
    return may_be_aufs && found.fate == FileFate::kUnverified && IsReservedInAufs(found.rest);
  }

  // Where the maps line said that the file has no name any more.
  static bool WasDeleted(const UnionName& target, const BranchMatch& match) {
    return target.name.ends_with(kDeletedSuffix) && !match.rest.ends_with(kDeletedSuffix);
  }

  Result<ResolvedFile> Resolve(const DumpedFile& file, const MapUnion& mount,
                               const BranchMatch& match, const UnionName& target) const {
    ResolvedFile found;
    found.rest = target.rest;
    if (rules_.resolve) {
      auto resolved = rules_.resolve({.mount = &mount,
                                      .raw = match,
                                      .rest = target.rest,
                                      .name = target.name,
                                      .recorded = RecordedFacts(file.entry)});
      if (resolved.has_value()) {
        found = std::move(resolved).value();
      } else if (resolved.error().code != ErrorCode::kNotFound || !WasDeleted(target, match)) {
        return MakeError(resolved.error().code, "{}: {} {}", file.place.Text(),
                         Quoted(file.entry.name()), resolved.error().message);
      }
    }
    if (WasDeleted(target, match)) {
      found.fate = FileFate::kDeleted;
      found.why = fmt::format("/proc/PID/maps said {}", Quoted(target.name));
    }
    return found;
  }

  // Decides what is done about a file that the union does not show.
  Result<> ApplyRules(const DumpedFile& file, PathRepair& repair) const {
    const bool shadowed = repair.found.fate == FileFate::kShadowed;
    const bool deleted = repair.found.fate == FileFate::kDeleted;
    if (!shadowed && !deleted) return success();
    const std::string what =
        fmt::format("was {} in union {}: {}", shadowed ? "replaced" : "deleted", repair.mount->id,
                    repair.found.why);
    if (shadowed && rules_.on_shadowed == OnShadowed::kRewrite) {
      repair.evidence += "; it " + what;
      return success();
    }
    const bool to_ghost = shadowed ? rules_.on_shadowed == OnShadowed::kGhost
                                   : rules_.on_deleted == OnDeleted::kGhost;
    if (!to_ghost) {
      return Refuse(file, fmt::format("{} (see --on-{})", what, shadowed ? "shadowed" : "deleted"));
    }
    if (repair.found.branch_path.empty()) {
      return Refuse(file, what + "; its content for a ghost file cannot be read here");
    }
    repair.is_ghost = true;
    repair.evidence += "; it " + what;
    return success();
  }

  // A restorer makes a ghost in the directory of its name: of one where the union takes no file the
  // ghost gets into the next directory above.
  Result<> MoveFromObstacle(const DumpedFile& file, PathRepair& repair) const {
    const std::string& obstacle = repair.found.obstacle;
    if (!repair.is_ghost || obstacle.empty()) return success();
    std::string name = repair.new_name.substr(repair.new_name.rfind('/') + 1);
    if (IsReservedInAufs("/" + name)) name.erase(0, 1);
    const std::string directory = obstacle.substr(0, obstacle.rfind('/') + 1);
    const UnionName target = NameOfRest(facts_, repair.mnt_ns_id, *repair.mount, directory + name);
    if (!target.problem.empty()) return Refuse(file, target.problem);
    repair.new_name = target.name;
    repair.owner = target.owner;
    repair.evidence += fmt::format("; its ghost is put into {}", Quoted(directory));
    return success();
  }

  // A ghost is made under the name without the suffix that tells it is gone.
  static void DropDeletedSuffix(PathRepair& repair, const BranchMatch& match) {
    std::string& name = repair.new_name;
    if (repair.is_ghost && name.ends_with(kDeletedSuffix) &&
        !match.rest.ends_with(kDeletedSuffix)) {
      name.resize(name.size() - kDeletedSuffix.size());
    }
  }

  Result<> AddRepair(const DumpedFile& file, const MapUnion& mount, const BranchMatch& match,
                     const std::string& evidence) {
    UnionName target = TargetOf(file, match);
    if (target.name == file.entry.name()) return success();
    if (!target.problem.empty()) return Refuse(file, target.problem);
    PathRepair repair;
    repair.file = &file;
    repair.mount = &mount;
    CKPT_TRY(repair.found, Resolve(file, mount, match, target));
    if (IsOfAufsItself(mount, repair.found)) {
      return Refuse(file, "is a name of AUFS itself and none of the union");
    }
    if (repair.found.rest != target.rest) {
      target = NameOfRest(facts_, target.mnt_ns_id, mount, repair.found.rest);
      if (!target.problem.empty()) return Refuse(file, target.problem);
    }
    repair.mnt_ns_id = target.mnt_ns_id;
    repair.owner = target.owner;
    repair.new_name = target.name;
    repair.evidence = fmt::format("in branch {} of union {}, {}; {}", match.branch_index, mount.id,
                                  Quoted(mount.branches[match.branch_index].path), evidence);
    if (repair.found.fate == FileFate::kPresent && !repair.found.why.empty()) {
      repair.evidence += "; " + repair.found.why;
    }
    CKPT_TRY(ApplyRules(file, repair));
    DropDeletedSuffix(repair, match);
    CKPT_TRY(MoveFromObstacle(file, repair));
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
  std::vector<std::string> refusals;
  std::optional<ErrorCode> first;
  for (const DumpedFile& file : facts.files) {
    const Result<> looked = finder.Look(file);
    if (looked.has_value()) continue;
    const ErrorCode code = looked.error().code;
    if (code != ErrorCode::kUnsupported && code != ErrorCode::kNotFound) return looked.error();
    if (!first) first = code;
    refusals.push_back(looked.error().message);
  }
  if (!first) return std::move(finder).Finish();
  if (refusals.size() == 1) return MakeError(*first, "{}", refusals[0]);
  return MakeError(*first, "{} files cannot be repaired:\n  {}", refusals.size(),
                   fmt::join(refusals, "\n  "));
}

}  // namespace ckpt
