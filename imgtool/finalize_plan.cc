#include "imgtool/finalize_plan.h"

#include <google/protobuf/descriptor.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "formats/image_type.h"
#include "formats/proto/files.pb.h"
#include "imgtool/field_roles.h"
#include "imgtool/image_edits.h"
#include "imgtool/json_sources.h"

namespace ckpt {

namespace {

constexpr size_t kMaxJsonBytes = size_t{64} << 20;
constexpr const char* kJsonFiles[] = {"config.dump", "spec.dump", "../config.dump", "../spec.dump"};

template <typename... Args>
Error Refuse(const Edit& edit, fmt::format_string<Args...> text, Args&&... args) {
  return MakeError(ErrorCode::kUnsupported, "{}: {}: pass {} sets {}", edit.place.Text(),
                   edit.field, edit.pass, fmt::format(text, std::forward<Args>(args)...));
}

Result<> CheckText(const Edit& edit, const std::string& text, FieldRole role) {
  const size_t limit = LimitOf(role);
  if (text.size() > limit) {
    return Refuse(edit, "{} bytes, at most {} allowed", text.size(), limit);
  }
  const bool is_abstract = role == FieldRole::kSocketName && text.starts_with('\0');
  if (limit == SIZE_MAX || is_abstract) return success();
  // The kernel counts one zero behind the name of a socket to it, and dumps have it.
  const size_t zero = text.find('\0');
  const bool ends_there = role == FieldRole::kSocketName && zero + 1 == text.size();
  if (zero != std::string::npos && !ends_there) {
    return Refuse(edit, "{}, which has a zero byte", FieldText(text));
  }
  if (role == FieldRole::kPath && !text.starts_with('/')) {
    return Refuse(edit, "{}, which does not start with a slash", FieldText(text));
  }
  return success();
}

class Finalizer {
 public:
  Finalizer(const ImageSource& images, EditPlan& plan) : images_(images), plan_(plan) {}

  Result<> Run() {
    for (const Edit* edit : plan_.edits()) CKPT_TRY(CheckEdit(*edit));
    for (const auto& [old_device, change] : devices_) {
      CKPT_TRY(RenameImages(old_device, change.new_device, *change.edit));
    }
    for (const char* name : kJsonFiles) {
      if (images_.Has(name) && !plan_.new_files().contains(name)) CKPT_TRY(RenameSources(name));
    }
    return CheckNewEntries();
  }

 private:
  struct DeviceChange {
    uint64_t new_device = 0;
    const Edit* edit = nullptr;
  };

  Result<> CheckEdit(const Edit& edit) {
    CKPT_TRY(const auto* field, FieldOfEdit(edit));
    const FieldRoleRow* row = FindFieldRole(field->full_name());
    if (row == nullptr) return success();
    if (const auto* text = std::get_if<std::string>(&edit.new_value)) {
      CKPT_TRY(CheckText(edit, *text, row->role));
    }
    if (row->field == "mnt_entry.root_dev") CKPT_TRY(AddDevice(edit));
    if (row->field == "mnt_entry.source") AddSource(edit);
    return success();
  }

  // "none" and the like are sources of many mounts; a path is the source of one thing.
  void AddSource(const Edit& edit) {
    const auto* old_source = std::get_if<std::string>(&edit.old_value);
    const auto* new_source = std::get_if<std::string>(&edit.new_value);
    if (old_source == nullptr || new_source == nullptr) return;
    if (old_source->starts_with('/') && new_source->starts_with('/')) {
      sources_.emplace(*old_source, *new_source);
    }
  }

  Result<> RenameSources(const std::string& name) {
    if (sources_.empty()) return success();
    CKPT_TRY(const std::string text, images_.ReadBytes(name, kMaxJsonBytes));
    auto changed =
        ChangeJsonSources(text, [this](std::string_view source) -> std::optional<std::string> {
          const auto found = sources_.find(source);
          if (found == sources_.end()) return std::nullopt;
          return found->second;
        });
    if (changed.has_error()) return std::move(changed).error().In(name);
    if (changed.value().count == 0) return success();
    return plan_.AddFile({name,
                          {changed.value().text, "", 0},
                          true,
                          kFinalizePass,
                          "a mount has this source and gets another one"});
  }

  Result<> AddDevice(const Edit& edit) {
    const auto* old_device = std::get_if<int64_t>(&edit.old_value);
    const auto* new_device = std::get_if<int64_t>(&edit.new_value);
    if (old_device == nullptr || new_device == nullptr) return success();
    const DeviceChange change{static_cast<uint64_t>(*new_device), &edit};
    const auto [found, added] = devices_.try_emplace(static_cast<uint64_t>(*old_device), change);
    if (added || found->second.new_device == change.new_device) return success();
    return Refuse(edit, "device {}, but device {} becomes {} at {}", change.new_device, *old_device,
                  found->second.new_device, found->second.edit->place.Text());
  }

  Result<> RenameImages(uint64_t old_device, uint64_t new_device, const Edit& edit) {
    for (const ImageTypeInfo& type : ImageTypes()) {
      if (type.id != ImageId::kDevice) continue;
      const std::string from = ImageFileName(type.type, old_device);
      if (!images_.Has(from)) continue;
      CKPT_TRY(plan_.AddRename({from, ImageFileName(type.type, new_device), kFinalizePass,
                                fmt::format("the device of {}", edit.place.Text())}));
    }
    return success();
  }

  Result<> CheckNewEntries() {
    const std::string files = ImageFileName(ImageType::kFiles);
    const std::string remaps = ImageFileName(ImageType::kRemapFpath);
    if (plan_.new_entries().empty()) return success();
    std::set<uint32_t> ids;
    if (images_.Has(files)) {
      CKPT_TRY(const ImageFile image, images_.Read(files));
      CKPT_TRY(const auto entries, ParseEntries<pb::file_entry>(image));
      for (const auto& entry : entries) ids.insert(entry.id());
    }
    for (const NewEntry* entry : plan_.new_entries()) {
      if (entry->image == files) CKPT_TRY(CheckNewFile(*entry, ids));
    }
    for (const NewEntry* entry : plan_.new_entries()) {
      if (entry->image == remaps && images_.Has(files)) CKPT_TRY(CheckNewRemap(*entry, ids));
    }
    return success();
  }

  static Result<> CheckNewFile(const NewEntry& entry, std::set<uint32_t>& ids) {
    CKPT_TRY(const auto file, ParseMessageAs<pb::file_entry>(AsBytes(entry.message)));
    if (ids.insert(file.id()).second) return success();
    return MakeError(ErrorCode::kUnsupported, "{}: pass {} adds a file {}, which is there already",
                     entry.image, entry.pass, file.id());
  }

  Result<> CheckNewRemap(const NewEntry& entry, const std::set<uint32_t>& ids) const {
    CKPT_TRY(const auto remap, ParseMessageAs<pb::remap_file_path_entry>(AsBytes(entry.message)));
    if (!ids.contains(remap.orig_id())) {
      return MakeError(ErrorCode::kUnsupported, "{}: pass {} remaps file {}, which is not there",
                       entry.image, entry.pass, remap.orig_id());
    }
    const std::string ghost = ImageFileName(ImageType::kGhostFile, remap.remap_id());
    if (remap.remap_type() == pb::GHOST && !images_.Has(ghost) &&
        !plan_.new_files().contains(ghost)) {
      return MakeError(ErrorCode::kUnsupported,
                       "{}: pass {} remaps file {} to {}, which is missing", entry.image,
                       entry.pass, remap.orig_id(), ghost);
    }
    return success();
  }

  const ImageSource& images_;
  EditPlan& plan_;
  std::map<uint64_t, DeviceChange> devices_;
  std::map<std::string, std::string, std::less<>> sources_;
};

}  // namespace

Result<> FinalizePlan(const ImageSource& images, EditPlan& plan) {
  return Finalizer(images, plan).Run();
}

}  // namespace ckpt
