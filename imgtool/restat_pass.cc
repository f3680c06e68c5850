#include "imgtool/restat_pass.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <string>

#include "formats/image_type.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "imgtool/rewrite_context.h"
#include "imgtool/union_files.h"

namespace ckpt {

namespace {

// (uid_t)-1: none.
constexpr int64_t kNoId = UINT32_MAX;

class RestatPass {
 public:
  RestatPass(RewriteContext& context, const UnionFiles& files, EditPlan& plan)
      : context_(context), files_(files), plan_(plan) {}

  Result<> Run() {
    for (const ImageType type : {ImageType::kFiles, ImageType::kRegFiles}) {
      const std::string name = ImageFileName(type);
      if (context_.images.Has(name)) CKPT_TRY(RestatImage(name));
    }
    if (found_ == 0) {
      return MakeError(ErrorCode::kNotFound, "--restat {}: none of the {} files is there",
                       *context_.rules.restat, missing_);
    }
    plan_.AddNote({"", fmt::format("--restat: {} files found below {}, {} not", found_,
                                   FieldText(*context_.rules.restat), missing_)});
    return success();
  }

 private:
  Result<> RestatImage(const std::string& name) {
    CKPT_TRY(const ImageFile image, context_.images.Read(name));
    if (image.type() == ImageType::kRegFiles) {
      CKPT_TRY(const auto files, ParseEntries<pb::reg_file_entry>(image));
      for (size_t i = 0; i < files.size(); ++i) CKPT_TRY(RestatFile({name, i}, "", files[i]));
      return success();
    }
    CKPT_TRY(const auto files, ParseEntries<pb::file_entry>(image));
    for (size_t i = 0; i < files.size(); ++i) {
      if (files[i].has_reg()) CKPT_TRY(RestatFile({name, i}, "reg.", files[i].reg()));
    }
    return success();
  }

  // Where the file will be: --path and --restat may be given together.
  std::string NewName(const pb::reg_file_entry& file) {
    auto mapped = context_.rules.paths.Map(file.name());
    return mapped ? mapped->path : file.name();
  }

  Result<> RestatFile(const EntryPlace& place, const std::string& prefix,
                      const pb::reg_file_entry& file) {
    if (file.ext() || !file.name().starts_with('/')) return success();
    const std::string path = NewName(file);
    CKPT_TRY(const auto there, files_.Find(path));
    if (!there) {
      ++missing_;
      plan_.AddNote({place.Text(), fmt::format("{} is not below {}", FieldText(path),
                                               FieldText(*context_.rules.restat))});
      return success();
    }
    ++found_;
    if (file.has_mode() && (file.mode() & S_IFMT) != (there->mode & S_IFMT)) {
      return MakeError(ErrorCode::kUnsupported, "{}: {} has mode {:#o}, and {:#o} below {}",
                       place.Text(), FieldText(path), file.mode(), there->mode,
                       *context_.rules.restat);
    }
    const auto propose = [&](const char* field, FieldValue old_value, FieldValue new_value) {
      return plan_.Add({place, prefix + field, std::move(old_value), std::move(new_value), "restat",
                        fmt::format("{} below {}", FieldText(path), *context_.rules.restat)});
    };
    if (file.has_mode()) CKPT_TRY(propose("mode", int64_t{file.mode()}, int64_t{there->mode}));
    return ProposeSize(file, *there, propose);
  }

  template <typename Propose>
  static Result<> ProposeSize(const pb::reg_file_entry& file, const FileFacts& there,
                              Propose propose) {
    if (!file.has_size() || !S_ISREG(there.mode)) return success();
    const auto old_size = static_cast<int64_t>(file.size());
    const auto new_size = static_cast<int64_t>(there.size_bytes);
    const bool is_append_only =
        (file.flags() & O_ACCMODE) == O_WRONLY && (file.flags() & O_APPEND) != 0;
    if (is_append_only) return propose("size", old_size, FieldAbsent());
    CKPT_TRY(propose("size", old_size, new_size));
    if (old_size == new_size || file.build_id_size() == 0) return success();
    const FieldNumbers build_id(file.build_id().begin(), file.build_id().end());
    return propose("build_id", build_id, FieldNumbers());
  }

  RewriteContext& context_;
  const UnionFiles& files_;
  EditPlan& plan_;
  size_t found_ = 0;
  size_t missing_ = 0;
};

Result<int64_t> Shifted(const EntryPlace& place, int64_t id, int64_t shift) {
  if (id == kNoId || id == -1) return id;
  if (id + shift >= 0 && id + shift < kNoId) return id + shift;
  return MakeError(ErrorCode::kUnsupported, "{}: --uid-shift {}: id {} would be {}", place.Text(),
                   shift, id, id + shift);
}

Result<> ShiftField(const RoleField& field, int64_t shift, EditPlan& plan) {
  FieldValue value = field.value;
  if (auto* number = std::get_if<int64_t>(&value)) {
    CKPT_TRY(*number, Shifted(field.place, *number, shift));
  } else if (auto* numbers = std::get_if<FieldNumbers>(&value)) {
    for (int64_t& element : *numbers) {
      CKPT_TRY(element, Shifted(field.place, element, shift));
    }
  }
  return plan.Add(EditOf(field, std::move(value), "ids", fmt::format("--uid-shift {}", shift)));
}

Result<bool> ShiftMaps(RewriteContext& context, EditPlan& plan) {
  bool has_maps = false;
  const int64_t shift = context.rules.uid_shift;
  for (const std::string& name : context.images.file_names()) {
    const auto type = FindImageTypeByFileName(name);
    if (!type || type->type != ImageType::kUserns) continue;
    CKPT_TRY(const ImageFile image, context.images.Read(name));
    CKPT_TRY(const auto maps, ParseSingleEntry<pb::userns_entry>(image));
    const auto shift_map = [&](const char* field, const auto& extents) -> Result<> {
      for (int i = 0; i < extents.size(); ++i) {
        has_maps = true;
        const EntryPlace place{name, 0};
        const int64_t first = extents[i].lower_first();
        CKPT_TRY(const int64_t shifted, Shifted(place, first, shift));
        CKPT_TRY(plan.Add({place, fmt::format("{}[{}].lower_first", field, i), first, shifted,
                           "ids", fmt::format("--uid-shift {}", shift)}));
      }
      return success();
    };
    CKPT_TRY(shift_map("uid_map", maps.uid_map()));
    CKPT_TRY(shift_map("gid_map", maps.gid_map()));
  }
  return has_maps;
}

}  // namespace

Result<> Restat(RewriteContext& context, EditPlan& plan) {
  if (!context.rules.restat) return success();
  CKPT_TRY(const UnionFiles files, UnionFiles::Open(*context.rules.restat));
  return RestatPass(context, files, plan).Run();
}

Result<> ShiftIds(RewriteContext& context, EditPlan& plan) {
  if (context.rules.uid_shift == 0) return success();
  CKPT_TRY(const bool has_maps, ShiftMaps(context, plan));
  if (has_maps) return success();
  for (const RoleField& field : context.fields) {
    const FieldRole role = field.row->role;
    if (role != FieldRole::kUserId && role != FieldRole::kGroupId) continue;
    CKPT_TRY(ShiftField(field, context.rules.uid_shift, plan));
  }
  return success();
}

}  // namespace ckpt
