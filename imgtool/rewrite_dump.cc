#include "imgtool/rewrite_dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "base/file.h"
#include "formats/image_file.h"
#include "imgtool/image_edits.h"
#include "imgtool/place_file.h"
#include "imgtool/staged_directory.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

// The new bytes of every edited image, by file name.
using EditedImages = std::map<std::string, std::string>;

Result<EditedImages> EditImages(const EditPlan& plan, const std::string& dump) {
  std::map<std::string, std::vector<const Edit*>> by_image;
  for (const Edit* edit : plan.edits()) by_image[edit->place.image].push_back(edit);
  EditedImages edited;
  for (const auto& [name, edits] : by_image) {
    CKPT_TRY(const ImageFile image, ReadImageFile((fs::path(dump) / name).string()));
    CKPT_TRY(edited[name], EditImage(image, edits));
  }
  return edited;
}

Result<struct stat> LinkStatus(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "lstat(\"{}\")", path);
  }
  return status;
}

// A relative link's text, such that it leads to the same place from `to_directory`.
std::string AdjustedLink(const std::string& target, const fs::path& from_directory,
                         const fs::path& to_directory) {
  if (target.starts_with('/')) return target;
  const fs::path meant = (from_directory / target).lexically_normal();
  const fs::path inside = meant.lexically_relative(from_directory.lexically_normal());
  if (!inside.empty() && *inside.begin() != "..") return target;
  return meant.lexically_relative(to_directory.lexically_normal()).string();
}

class Stager {
 public:
  // `dump` and `out` are absolute and without links; what is staged will be at `out`.
  Stager(std::string dump, std::string staging, std::string out, const EditedImages& edited)
      : dump_(std::move(dump)),
        staging_(std::move(staging)),
        out_(std::move(out)),
        edited_(edited) {}

  Result<PlanOutcome> Run() {
    CKPT_TRY(StageDirectory(""));
    return outcome_;
  }

 private:
  // `below` is "" or "/x/y" under the dump. The staged directory is there already.
  Result<> StageDirectory(const std::string& below) {
    CKPT_TRY(const auto names, ListDirectory(dump_ + below));
    for (const std::string& name : names) CKPT_TRY(StageMember(below, name));
    return FinishDirectory(below);
  }

  Result<> StageMember(const std::string& below, const std::string& name) {
    const std::string path = below + "/" + name;
    CKPT_TRY(const struct stat status, LinkStatus(dump_ + path));
    const auto edited = below.empty() ? edited_.find(name) : edited_.end();
    if (edited != edited_.end()) return WriteEdited(path, edited->second);
    if (S_ISREG(status.st_mode)) return PlaceUnchanged(path);
    if (S_ISLNK(status.st_mode)) return PlaceLink(below, path);
    if (S_ISDIR(status.st_mode)) return PlaceDirectory(path);
    return MakeError(ErrorCode::kUnsupported,
                     "{}{}: neither a file, a directory nor a symbolic link (mode {:#o})", dump_,
                     path, status.st_mode);
  }

  Result<> WriteEdited(const std::string& path, const std::string& bytes) {
    struct stat status {};
    if (stat((dump_ + path).c_str(), &status) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "stat(\"{}{}\")", dump_, path);
    }
    const std::string target = staging_ + path;
    CKPT_TRY(const UniqueFd fd, OpenFile(target, O_WRONLY | O_CREAT | O_EXCL, 0600));
    CKPT_TRY(WriteAll(fd.get(), AsBytes(bytes), target));
    CKPT_TRY(CopyOwnerAndMode(fd.get(), status, target));
    if (fsync(fd.get()) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "fsync({})", target);
    }
    return success();
  }

  Result<> PlaceUnchanged(const std::string& path) {
    CKPT_TRY(const Placement placement, PlaceFile(dump_ + path, staging_ + path));
    switch (placement) {
      case Placement::kHardLinked:
        ++outcome_.linked;
        break;
      case Placement::kReflinked:
        ++outcome_.reflinked;
        break;
      case Placement::kCopied:
        ++outcome_.copied;
        break;
    }
    return success();
  }

  Result<> PlaceLink(const std::string& below, const std::string& path) {
    CKPT_TRY(const std::string target, ReadLink(dump_ + path));
    const std::string adjusted = AdjustedLink(target, dump_ + below, out_ + below);
    if (symlink(adjusted.c_str(), (staging_ + path).c_str()) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "symlink(\"{}\", \"{}{}\")", adjusted, staging_, path);
    }
    return success();
  }

  Result<> PlaceDirectory(const std::string& path) {
    if (mkdir((staging_ + path).c_str(), 0700) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "mkdir(\"{}{}\", 0700)", staging_, path);
    }
    return StageDirectory(path);
  }

  // At the end, since a directory's mode may forbid writing and its times change with its content.
  Result<> FinishDirectory(const std::string& below) {
    CKPT_TRY(const struct stat status, LinkStatus(dump_ + below));
    const std::string target = staging_ + below;
    CKPT_TRY(const UniqueFd fd, OpenFile(target, O_RDONLY | O_DIRECTORY));
    CKPT_TRY(CopyAttributes(fd.get(), status, target));
    return SyncDirectory(target);
  }

  std::string dump_;
  std::string staging_;
  std::string out_;
  const EditedImages& edited_;
  PlanOutcome outcome_;
};

Result<std::string> RealPath(const fs::path& path) {
  std::error_code problem;
  const fs::path real = fs::canonical(path, problem);
  if (problem) return ErrnoError(problem.value(), "realpath(\"{}\")", path.string());
  return real.string();
}

// `out` without links and trailing slashes, its last component not being there yet.
Result<std::string> NewPath(const std::string& out) {
  fs::path path = fs::path(out).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const fs::path parent = path.parent_path();
  CKPT_TRY(const std::string real_parent, RealPath(parent.empty() ? fs::path(".") : parent));
  return (fs::path(real_parent) / path.filename()).string();
}

bool Exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

}  // namespace

Result<PlanOutcome> WriteNewDump(const EditPlan& plan, const std::string& dump,
                                 const std::string& out) {
  CKPT_TRY(const std::string real_dump, RealPath(dump));
  CKPT_TRY(const std::string real_out, NewPath(out));
  if (Exists(real_out)) return MakeError(ErrorCode::kUsage, "{} exists already", out);
  if ((real_out + "/").starts_with(real_dump + "/")) {
    return MakeError(ErrorCode::kUsage, "{} lies inside the dump", out);
  }
  CKPT_TRY(const EditedImages edited, EditImages(plan, real_dump));
  CKPT_TRY(StagedDirectory staged, StagedDirectory::Create(real_out));
  CKPT_TRY(PlanOutcome outcome, Stager(real_dump, staged.staging_path(), real_out, edited).Run());
  CKPT_TRY(staged.CommitNew());
  outcome.written = out;
  return outcome;
}

Result<PlanOutcome> ReplaceDump(const EditPlan& plan, const std::string& dump) {
  if (plan.empty()) return NotWritten("the dump stays as it is");
  CKPT_TRY(const std::string real_dump, RealPath(dump));
  CKPT_TRY(const EditedImages edited, EditImages(plan, real_dump));
  CKPT_TRY(StagedDirectory staged, StagedDirectory::Create(real_dump));
  CKPT_TRY(PlanOutcome outcome, Stager(real_dump, staged.staging_path(), real_dump, edited).Run());
  CKPT_TRY(staged.CommitExchange());
  outcome.written = dump;
  return outcome;
}

}  // namespace ckpt
