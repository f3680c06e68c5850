#include "imgtool/stat_pass.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <map>
#include <string>
#include <utility>

#include "imgtool/build_id.h"
#include "imgtool/fixup_context.h"

namespace ckpt {

namespace {

bool IsAppendOnly(const pb::reg_file_entry& file) {
  return (file.flags() & O_ACCMODE) == O_WRONLY && (file.flags() & O_APPEND) != 0;
}

std::string_view TypeName(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a regular file";
    case S_IFDIR:
      return "a directory";
    case S_IFLNK:
      return "a symbolic link";
    default:
      return "a special file";
  }
}

class StatPass {
 public:
  StatPass(const FixupContext& context, EditPlan& plan) : context_(context), plan_(plan) {}

  Result<> Run() {
    std::map<const MapUnion*, size_t> repaired;
    for (const PathRepair& repair : context_.repairs.repairs) {
      ++repaired[repair.mount];
      const auto& facts = repair.is_ghost ? repair.found.of_branch : repair.found.shown;
      CKPT_TRY(facts ? ProposeFile(repair, *facts) : ProposeAppendOnly(repair));
    }
    for (const auto& [mount, file_count] : repaired) Note(*mount, file_count);
    return success();
  }

 private:
  void Note(const MapUnion& mount, size_t file_count) {
    const auto why_not = context_.resolver.WhyUnreadable(mount);
    const std::string files = fmt::format("{} file{}", file_count, file_count == 1 ? "" : "s");
    plan_.AddNote({fmt::format("union {}", mount.id),
                   why_not ? fmt::format("size and mode of {} not verified: {}", files, *why_not)
                           : fmt::format("size and mode of {} verified {}", files,
                                         context_.resolver.Where(mount))});
  }

  Result<> ProposeFile(const PathRepair& repair, const FileFacts& found) {
    const DumpedFile& file = *repair.file;
    if (file.entry.has_mode() && (file.entry.mode() & S_IFMT) != (found.mode & S_IFMT)) {
      return MakeError(ErrorCode::kUnsupported, "{}: {} was {}, but {} is {}", file.place.Text(),
                       FieldText(file.entry.name()), TypeName(file.entry.mode()),
                       FieldText(repair.new_name), TypeName(found.mode));
    }
    CKPT_TRY(ProposeMode(file, found));
    CKPT_TRY(ProposeBuildId(repair));
    return IsAppendOnly(file.entry) ? ProposeAppendOnly(repair) : ProposeSize(file, found);
  }

  Result<> ProposeMode(const DumpedFile& file, const FileFacts& found) {
    if (!file.entry.has_mode()) return success();
    return Propose(file, "mode", int64_t{file.entry.mode()}, int64_t{found.mode},
                   fmt::format("mode {:#o} of the file in the union, {:#o} before", found.mode,
                               file.entry.mode()));
  }

  // Only of a file that has one: without it restorers do not compare.
  Result<> ProposeBuildId(const PathRepair& repair) {
    const pb::reg_file_entry& entry = repair.file->entry;
    const std::string& path = repair.is_ghost ? repair.found.branch_path : repair.found.shown_path;
    if (entry.build_id().empty() || path.empty()) return success();
    const FieldNumbers recorded(entry.build_id().begin(), entry.build_id().end());
    CKPT_TRY(const auto build_id, ReadBuildId(path));
    const FieldNumbers found = build_id ? BuildIdWords(*build_id) : FieldNumbers();
    return Propose(*repair.file, "build_id", recorded,
                   found.empty() ? FieldValue(FieldAbsent()) : FieldValue(found),
                   "build id of the file in the union");
  }

  Result<> ProposeSize(const DumpedFile& file, const FileFacts& found) {
    if (!file.entry.has_size() || !S_ISREG(found.mode)) return success();
    return Propose(file, "size", static_cast<int64_t>(file.entry.size()),
                   static_cast<int64_t>(found.size_bytes), "size of the file in the union");
  }

  Result<> ProposeAppendOnly(const PathRepair& repair) {
    const pb::reg_file_entry& entry = repair.file->entry;
    if (!entry.has_size() || !IsAppendOnly(entry)) return success();
    return Propose(*repair.file, "size", static_cast<int64_t>(entry.size()), FieldAbsent(),
                   "opened with O_WRONLY and O_APPEND, its size is not compared");
  }

  Result<> Propose(const DumpedFile& file, const char* field, FieldValue old_value,
                   FieldValue new_value, std::string evidence) {
    return plan_.Add({file.place, file.field_prefix + field, std::move(old_value),
                      std::move(new_value), kStatPass, std::move(evidence)});
  }

  const FixupContext& context_;
  EditPlan& plan_;
};

}  // namespace

Result<> ProposeStat(const FixupContext& context, EditPlan& plan) {
  return StatPass(context, plan).Run();
}

}  // namespace ckpt
