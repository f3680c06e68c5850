#include "imgtool/repair_evidence.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

namespace ckpt {

namespace {

constexpr uint32_t kMinorBits = 20;

std::string Quoted(std::string_view path) { return FieldText(std::string(path)); }

// The device that the dumper saw the mapped file on, against that of the branch. A branch can lie
// in an overlay of layers on several file systems: stat(2) then gives its files a device of their
// layer, and only its directories the overlay's; /proc/PID/maps has that since Linux 6.8.
bool IsOnBranchDevice(const RecordedMapping& mapping, const Branch& branch) {
  if (!branch.device || *branch.device == mapping.entry.stat_dev()) return true;
  const uint32_t maps_dev = mapping.entry.maps_dev();
  return *branch.device == makedev(maps_dev >> kMinorBits, maps_dev & ((1U << kMinorBits) - 1));
}

std::optional<std::string> StrongEvidence(const PathClaim& claim, const MapUnion& mount,
                                          const Branch& branch, const DumpFacts& facts) {
  if (claim.mapping != nullptr && IsOnBranchDevice(*claim.mapping, branch)) {
    return fmt::format("map_files of pid {} links to it, maps says {}", claim.mapping->entry.pid(),
                       Quoted(claim.mapping->entry.maps_path()));
  }
  if (claim.mnt_id && !facts.mounts.empty() && facts.mounts.Find(*claim.mnt_id) == nullptr) {
    return fmt::format("no mountpoints image lists its mount {}", *claim.mnt_id);
  }
  if (!IsWithin(claim.path, mount.mountpoint)) {
    return fmt::format("no file of the union has a name outside {}", Quoted(mount.mountpoint));
  }
  return std::nullopt;
}

std::optional<std::string> WeakEvidence(const PathClaim& claim, const EvidenceRules& rules) {
  if (claim.mapped_only) return "only mappings refer to it";
  if (rules.map_is_explicit) return "the map says so";
  if (rules.force) return "--force";
  return std::nullopt;
}

// Whether the dump says that the file was reached through a mount of the namespace.
bool IsOwnMount(const PathClaim& claim, const MapUnion& mount, const DumpFacts& facts) {
  if (!claim.mnt_id) return false;
  return facts.mounts.Find(*claim.mnt_id) != nullptr ||
         (mount.mnt_id && *claim.mnt_id == int64_t{*mount.mnt_id});
}

using Doubt = std::optional<std::string>;

Result<Doubt> FindDoubt(const PathClaim& claim, const MapUnion& mount, const Branch& branch,
                        const DumpFacts& facts, const EvidenceRules& rules) {
  if (IsOwnMount(claim, mount, facts)) {
    return Doubt(
        fmt::format("it was reached through mount {} of its own namespace", *claim.mnt_id));
  }
  if (claim.mapping != nullptr && !IsOnBranchDevice(*claim.mapping, branch)) {
    return Doubt("the mapped file is on another device than the branch");
  }
  if (IsWithin(mount.mountpoint, branch.path)) {
    return Doubt("the union is mounted inside that branch");
  }
  if (!rules.union_has_file) return Doubt();
  CKPT_TRY(const bool exists, rules.union_has_file(mount, std::string(claim.path)));
  return exists ? Doubt("the union has a file of that very name") : Doubt();
}

}  // namespace

Result<Judgement> JudgePath(const PathClaim& claim, const MapUnion& mount, const BranchMatch& match,
                            const DumpFacts& facts, const EvidenceRules& rules) {
  const Branch& branch = mount.branches[match.branch_index];
  if (auto strong = StrongEvidence(claim, mount, branch, facts)) return Judgement{*strong, ""};
  const auto weak = WeakEvidence(claim, rules);
  if (!weak) return Judgement{"", "nothing tells that it is not a path inside the union"};
  CKPT_TRY(const Doubt doubt, FindDoubt(claim, mount, branch, facts, rules));
  if (!doubt) return Judgement{*weak, ""};
  if (rules.force) return Judgement{fmt::format("{} (--force, although {})", *weak, *doubt), ""};
  return Judgement{"", *doubt};
}

}  // namespace ckpt
