#include "imgtool/name_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/image_type.h"
#include "imgtool/branch_match.h"
#include "imgtool/fixup_context.h"
#include "imgtool/mount_pass.h"
#include "imgtool/repair_evidence.h"
#include "imgtool/union_name.h"

namespace ckpt {

namespace {

// The only namespace of the dump, or that of the union.
std::optional<uint32_t> NamespaceOfName(const DumpFacts& facts, const MapUnion* mount) {
  const auto& dumped = facts.mounts.namespaces();
  if (mount != nullptr && mount->mnt_ns_id && dumped.contains(*mount->mnt_ns_id)) {
    return mount->mnt_ns_id;
  }
  if (dumped.size() == 1) return dumped.begin()->first;
  return std::nullopt;
}

class NamePass {
 public:
  NamePass(const FixupContext& context, EditPlan& plan)
      : context_(context), plan_(plan), matcher_(context.map) {}

  Result<> Run() {
    for (const DumpedName& name : context_.facts.names.names) CKPT_TRY(Look(name));
    return success();
  }

 private:
  Error Refuse(const DumpedName& name, const std::string& why) const {
    return MakeError(ErrorCode::kUnsupported, "{}: {} {} {}", name.place.Text(), name.field,
                     FieldText(name.path), why);
  }

  const MapUnion& UnionOf(const BranchMatch& match) const {
    return context_.map.unions[match.union_index];
  }

  Result<> Look(const DumpedName& name) {
    const auto matches = matcher_.Match(name.path);
    if (matches.empty()) return ProposeForeignMount(name);
    const BranchMatch& match = matches[0];
    const MapUnion& mount = UnionOf(match);
    const PathClaim claim{
        .path = name.path, .mnt_id = name.mnt_id, .mapping = nullptr, .mapped_only = false};
    CKPT_TRY(const Judgement judgement,
             JudgePath(claim, mount, match, context_.facts, context_.evidence));
    if (!judgement.doubt.empty()) {
      plan_.AddNote({name.place.Text(),
                     fmt::format("left alone: {} {} lies in a branch of union {}, but {}",
                                 name.field, FieldText(name.path), mount.id, judgement.doubt)});
      return ProposeForeignMount(name);
    }
    for (const BranchMatch& other : matches) {
      const bool is_same = mount.mountpoint == UnionOf(other).mountpoint &&
                           AreOneUnion(context_.facts, mount, UnionOf(other));
      if (is_same) continue;
      return Refuse(name, fmt::format("lies in a branch that unions {} and {} share", mount.id,
                                      UnionOf(other).id));
    }
    return ProposeRepair(name, match, judgement.evidence);
  }

  Result<> ProposeRepair(const DumpedName& name, const BranchMatch& match,
                         const std::string& evidence) {
    const MapUnion& mount = UnionOf(match);
    const UnionName target =
        NameOfRest(context_.facts, NamespaceOfName(context_.facts, &mount), mount, match.rest);
    if (!target.problem.empty()) return Refuse(name, target.problem);
    if (mount.type != "overlay" && IsReservedInAufs(match.rest)) {
      return Refuse(name, "is a name of AUFS itself and none of the union");
    }
    if (target.name.size() > name.most_bytes) {
      return Refuse(name, fmt::format("would become a path of {} bytes, at most {} are allowed",
                                      target.name.size(), name.most_bytes));
    }
    CKPT_TRY(Propose(name, name.field, name.path + name.tail, target.name + name.tail,
                     fmt::format("in branch {} of union {}, {}; {}", match.branch_index, mount.id,
                                 FieldText(mount.branches[match.branch_index].path), evidence)));
    const bool needs_mount = name.mnt_id.has_value() || !context_.facts.mounts.empty();
    if (name.mnt_id_field.empty() || !needs_mount) return success();
    return ProposeMount(name, target.owner, "the repaired path leads there");
  }

  Result<> ProposeForeignMount(const DumpedName& name) {
    const MountTable& mounts = context_.facts.mounts;
    if (name.mnt_id_field.empty() || !name.mnt_id || mounts.empty()) return success();
    if (mounts.Find(*name.mnt_id) != nullptr) return success();
    const auto mnt_ns_id = NamespaceOfName(context_.facts, nullptr);
    return ProposeMount(name, mnt_ns_id ? mounts.Owner(*mnt_ns_id, name.path) : nullptr,
                        fmt::format("no mountpoints image lists mount {}", *name.mnt_id));
  }

  Result<> ProposeMount(const DumpedName& name, const DumpedMount* owner, std::string evidence) {
    if (owner == nullptr) {
      plan_.AddNote(
          {name.place.Text(), fmt::format("the dump has no mount for {}", FieldText(name.path))});
      return success();
    }
    FieldValue old_value;
    if (name.mnt_id) old_value = *name.mnt_id;
    return Propose(name, name.mnt_id_field, std::move(old_value), int64_t{owner->entry.mnt_id()},
                   std::move(evidence));
  }

  Result<> Propose(const DumpedName& name, const std::string& field, FieldValue old_value,
                   FieldValue new_value, std::string evidence) {
    return plan_.Add({name.place, field, std::move(old_value), std::move(new_value), kNamePass,
                      std::move(evidence)});
  }

  const FixupContext& context_;
  EditPlan& plan_;
  BranchMatcher matcher_;
};

class WatchPass {
 public:
  WatchPass(const FixupContext& context, EditPlan& plan)
      : context_(context),
        plan_(plan),
        devices_(UnionDevices(context)),
        meant_(context),
        matcher_(context.map) {}

  Result<> Run() {
    for (const DumpedWatch& watch : context_.facts.names.watches) {
      if (!watch.has_path && devices_.contains(watch.device)) CKPT_TRY(GivePath(watch));
    }
    for (const DumpedDevice& device : context_.facts.names.devices) {
      CKPT_TRY(ChangeDevice(device));
    }
    return success();
  }

 private:
  Result<> ChangeDevice(const DumpedDevice& device) {
    const auto of_union = UnionOf(device);
    if (!of_union) return success();
    const auto& reference = context_.mounts.reference;
    const bool changes = reference && meant_.Contains(of_union->origin);
    return plan_.Add({device.place, device.field, int64_t{device.device},
                      int64_t{changes ? reference->device : of_union->now}, kWatchPass,
                      changes ? "the union's mounts get this device"
                              : "its file lies on the union's mount, where watches have this "
                                "device"});
  }

  struct UnionDevice {
    uint32_t origin;  // before any fixup
    uint32_t now;
  };

  // The device of the union that a field is of. stat(2) gives files of an overlay whose layers lie
  // on several file systems a device of their layer, and so it is in ghosts; watches have that of
  // the mount.
  std::optional<UnionDevice> UnionOf(const DumpedDevice& device) const {
    if (devices_.contains(device.device)) return UnionDevice{device.device, device.device};
    const auto image = FindImageTypeByFileName(device.place.image);
    if (!image || image->type != ImageType::kGhostFile) return std::nullopt;
    for (const pb::remap_file_path_entry& remap : context_.facts.remaps) {
      if (remap.remap_type() == pb::GHOST && remap.remap_id() == image->id) {
        return UnionOfFile(remap.orig_id());
      }
    }
    return std::nullopt;
  }

  std::optional<UnionDevice> UnionOfFile(uint32_t file_id) const {
    const DumpFacts& facts = context_.facts;
    const auto file = std::ranges::find_if(
        facts.files, [&](const DumpedFile& one) { return one.entry.id() == file_id; });
    if (file == facts.files.end() || !file->entry.has_mnt_id()) return std::nullopt;
    return UnionOfMount(facts.mounts.Find(file->entry.mnt_id()));
  }

  std::optional<UnionDevice> UnionOfMount(const DumpedMount* mount) const {
    if (mount == nullptr || !devices_.contains(mount->origin.root_dev())) return std::nullopt;
    return UnionDevice{mount->origin.root_dev(), mount->entry.root_dev()};
  }

  // The cached path of a watched inode: by stat(2) under the device of the watch, or under that of
  // a layer while the path leads to the union. Nothing where files of two layers have the number.
  const DumpedInodePath* FindPath(const DumpedWatch& watch) const {
    const auto mnt_ns_id = NamespaceOfName(context_.facts, nullptr);
    const DumpedInodePath* found = nullptr;
    for (const DumpedInodePath& cached : context_.facts.names.inode_paths) {
      if (cached.inode != watch.inode) continue;
      if (cached.device == watch.device) return &cached;
      const auto of_union =
          UnionOfMount(mnt_ns_id ? context_.facts.mounts.Owner(*mnt_ns_id, cached.path) : nullptr);
      if (!of_union || of_union->now != watch.device) continue;
      if (found != nullptr && found->device != cached.device) return nullptr;
      found = &cached;
    }
    return found;
  }

  Result<> GivePath(const DumpedWatch& watch) {
    const DumpedInodePath* found = FindPath(watch);
    if (found == nullptr) {
      plan_.AddNote({watch.place.Text(),
                     fmt::format("{}: inode {} of a union is known by its file handle only, which "
                                 "the next mount of the union does not have",
                                 watch.handle_field, watch.inode)});
      return success();
    }
    const auto mnt_ns_id = NamespaceOfName(context_.facts, nullptr);
    const std::string path = PathInUnion(found->path, mnt_ns_id);
    const auto edit = [&](const char* field, FieldValue value) {
      return plan_.Add({watch.place, watch.handle_field + field, FieldAbsent(), std::move(value),
                        kWatchPass, "irmap-cache has this path for the inode"});
    };
    CKPT_TRY(edit(".path", path));
    const DumpedMount* owner = mnt_ns_id ? context_.facts.mounts.Owner(*mnt_ns_id, path) : nullptr;
    if (owner == nullptr || watch.has_mnt_id) return success();
    return edit(".mnt_id", int64_t{owner->entry.mnt_id()});
  }

  // A cached path can be a branch's, too.
  std::string PathInUnion(const std::string& path, const std::optional<uint32_t>& mnt_ns_id) const {
    const auto matches = matcher_.Match(path);
    if (matches.size() != 1) return path;
    return NameOfRest(context_.facts, mnt_ns_id, context_.map.unions[matches[0].union_index],
                      matches[0].rest)
        .name;
  }

  const FixupContext& context_;
  EditPlan& plan_;
  std::set<uint32_t> devices_;
  MeantUnions meant_;
  BranchMatcher matcher_;
};

}  // namespace

Result<> ProposeNames(const FixupContext& context, EditPlan& plan) {
  return NamePass(context, plan).Run();
}

Result<> ProposeWatches(const FixupContext& context, EditPlan& plan) {
  return WatchPass(context, plan).Run();
}

}  // namespace ckpt
