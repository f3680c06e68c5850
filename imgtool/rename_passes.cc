#include "imgtool/rename_passes.h"

#include <set>
#include <string>

#include "formats/image_type.h"
#include "formats/proto/mounts.pb.h"
#include "imgtool/json_sources.h"
#include "imgtool/rewrite_context.h"

namespace ckpt {

namespace {

constexpr size_t kMaxJsonBytes = size_t{64} << 20;
constexpr const char* kJsonFiles[] = {"config.dump", "spec.dump", "../config.dump", "../spec.dump"};

const std::string* TextOf(const RoleField& field) { return std::get_if<std::string>(&field.value); }

bool IsTaskPath(const RoleField& field) {
  switch (field.row->role) {
    case FieldRole::kPath:
    case FieldRole::kWatchedPath:
    case FieldRole::kSocketName:
      return field.is_path && TextOf(field) != nullptr && TextOf(field)->starts_with('/');
    default:
      return false;
  }
}

// The name of a socket may have a zero at its end, which is none of its path.
std::string WithoutZero(const RoleField& field) {
  std::string text = *TextOf(field);
  if (field.row->role == FieldRole::kSocketName && text.ends_with('\0')) text.pop_back();
  return text;
}

Result<> RenameSourcesIn(const std::string& name, RewriteContext& context, EditPlan& plan) {
  CKPT_TRY(const std::string text, context.images.ReadBytes(name, kMaxJsonBytes));
  auto changed =
      ChangeJsonSources(text, [&](std::string_view source) -> std::optional<std::string> {
        auto mapped = context.rules.mounts.Map(source);
        if (!mapped) return std::nullopt;
        return std::move(mapped->path);
      });
  if (changed.has_error()) return std::move(changed).error().In(name);
  if (changed.value().count == 0) return success();
  return plan.AddFile({name,
                       {changed.value().text, "", 0},
                       true,
                       "mounts",
                       fmt::format("--mount, {} sources in it", changed.value().count)});
}

}  // namespace

Result<> RenamePaths(RewriteContext& context, EditPlan& plan) {
  for (const RoleField& field : context.fields) {
    if (!IsTaskPath(field)) continue;
    const std::string path = WithoutZero(field);
    auto mapped = context.rules.paths.Map(path);
    if (!mapped) continue;
    const std::string zeros = TextOf(field)->substr(path.size());
    CKPT_TRY(plan.Add(EditOf(field, mapped->path + zeros, "paths", "--path " + mapped->rule)));
  }
  return context.rules.paths.CheckAllUsed();
}

Result<> RenameMounts(RewriteContext& context, EditPlan& plan) {
  if (context.rules.mounts.empty()) return success();
  for (const RoleField& field : context.fields) {
    if (field.row->role != FieldRole::kMountSource) continue;
    auto mapped = context.rules.mounts.Map(*TextOf(field));
    if (!mapped) continue;
    CKPT_TRY(plan.Add(EditOf(field, mapped->path, "mounts", "--mount " + mapped->rule)));
  }
  for (const char* name : kJsonFiles) {
    if (context.images.Has(name)) CKPT_TRY(RenameSourcesIn(name, context, plan));
  }
  return context.rules.mounts.CheckAllUsed();
}

Result<> NameExternalMounts(RewriteContext& context, EditPlan& plan) {
  std::set<std::string> missing;
  std::string mountpoints;
  for (const auto& [mountpoint, key] : context.rules.external_mounts) missing.insert(mountpoint);
  if (missing.empty()) return success();
  for (const std::string& name : context.images.file_names()) {
    const auto image_name = FindImageTypeByFileName(name);
    if (!image_name || image_name->type != ImageType::kMnts) continue;
    CKPT_TRY(const ImageFile image, context.images.Read(name));
    CKPT_TRY(const auto mounts, ParseEntries<pb::mnt_entry>(image));
    for (size_t i = 0; i < mounts.size(); ++i) {
      const pb::mnt_entry& mount = mounts[i];
      mountpoints += (mountpoints.empty() ? "" : ", ") + FieldText(mount.mountpoint());
      const auto rule = context.rules.external_mounts.find(mount.mountpoint());
      if (rule == context.rules.external_mounts.end()) continue;
      missing.erase(rule->first);
      const EntryPlace place{name, i};
      if (mount.ext_mount()) {
        return MakeError(ErrorCode::kUnsupported,
                         "{}: the mount at {} is external in the way of old dumps already",
                         place.Text(), FieldText(mount.mountpoint()));
      }
      FieldValue old_key;
      if (mount.has_ext_key()) old_key = mount.ext_key();
      CKPT_TRY(plan.Add({place, "ext_key", old_key, rule->second, "external-mounts",
                         fmt::format("--ext-mount-map {}:{}", rule->first, rule->second)}));
    }
  }
  if (missing.empty()) return success();
  return MakeError(ErrorCode::kNotFound, "--ext-mount-map: no mount at {}; there are {}",
                   FieldText(*missing.begin()), mountpoints.empty() ? "none" : mountpoints);
}

Result<> RenameHost(RewriteContext& context, EditPlan& plan) {
  if (!context.rules.hostname) return success();
  bool is_found = false;
  for (const RoleField& field : context.fields) {
    if (field.row->field != "utsns_entry.nodename") continue;
    is_found = true;
    CKPT_TRY(plan.Add(EditOf(field, *context.rules.hostname, "hostname",
                             "--hostname " + *context.rules.hostname)));
  }
  if (is_found) return success();
  return MakeError(ErrorCode::kNotFound,
                   "--hostname: the dump has no UTS namespace (utsns-N.img) with a name");
}

}  // namespace ckpt
