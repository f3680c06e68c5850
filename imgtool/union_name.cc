#include "imgtool/union_name.h"

#include <fmt/format.h>

#include <utility>

namespace ckpt {

namespace {

std::string Covered(const UnionName& found) {
  return fmt::format("would become {}, which mount {} at {} covers", FieldText(found.name),
                     found.owner->entry.mnt_id(), FieldText(found.owner->entry.mountpoint()));
}

UnionName NameThroughMounts(const DumpFacts& facts, uint32_t mnt_ns_id, const MapUnion& mount,
                            std::string rest) {
  UnionName found;
  found.rest = std::move(rest);
  found.name = UnionPath(mount, found.rest);
  found.mnt_ns_id = mnt_ns_id;
  found.owner = facts.mounts.Owner(mnt_ns_id, found.name);
  const DumpedMount* of = facts.mounts.FindUnion(mnt_ns_id, mount);
  if (of == nullptr) return found;
  const std::string inner = found.rest.empty() ? "/" : found.rest;
  if (const auto named = facts.mounts.FindName(mnt_ns_id, *of, inner)) {
    found.name = named->name;
    found.owner = named->mount;
  } else if (found.owner != nullptr && !SameSuperblock(found.owner->origin, of->origin)) {
    found.problem = Covered(found);
  } else {
    found.problem = fmt::format("would be {} of the union, which no mount of its namespace shows",
                                FieldText(inner));
  }
  return found;
}

}  // namespace

UnionName NameOfRest(const DumpFacts& facts, const std::optional<uint32_t>& mnt_ns_id,
                     const MapUnion& mount, std::string rest) {
  if (mnt_ns_id) return NameThroughMounts(facts, *mnt_ns_id, mount, std::move(rest));
  UnionName found;
  found.rest = std::move(rest);
  found.name = UnionPath(mount, found.rest);
  return found;
}

UnionName NameAsGiven(const DumpFacts& facts, const std::optional<uint32_t>& mnt_ns_id,
                      const MapUnion& mount, std::string name) {
  UnionName found;
  found.name = std::move(name);
  found.rest = found.name.substr(mount.mountpoint == "/" ? 0 : mount.mountpoint.size());
  found.mnt_ns_id = mnt_ns_id;
  if (!mnt_ns_id) return found;
  found.owner = facts.mounts.Owner(*mnt_ns_id, found.name);
  const DumpedMount* of = facts.mounts.FindUnion(*mnt_ns_id, mount);
  if (of == nullptr || found.owner == nullptr) return found;
  if (SameSuperblock(found.owner->origin, of->origin)) {
    found.rest = InnerPath(found.owner->origin, found.name);
  } else {
    found.problem = Covered(found);
  }
  return found;
}

bool AreOneUnion(const DumpFacts& facts, const MapUnion& one, const MapUnion& other) {
  if (&one == &other) return true;
  if (!one.mnt_ns_id || !other.mnt_ns_id) return false;
  const DumpedMount* of_one = facts.mounts.FindUnion(*one.mnt_ns_id, one);
  const DumpedMount* of_other = facts.mounts.FindUnion(*other.mnt_ns_id, other);
  return of_one != nullptr && of_other != nullptr &&
         SameSuperblock(of_one->origin, of_other->origin);
}

}  // namespace ckpt
