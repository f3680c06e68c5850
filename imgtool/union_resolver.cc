#include "imgtool/union_resolver.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

constexpr std::string_view kPseudoLinks = "/.wh..wh.plnk/";
constexpr size_t kCompareBytes = 64 * 1024;

FileFacts FactsOf(const struct stat& status) {
  return {static_cast<uint64_t>(status.st_size), status.st_mode};
}

bool SameInode(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// As many bytes as there are up to the size of `buffer`.
Result<size_t> Fill(int fd, std::span<char> buffer, const std::string& name) {
  size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = read(fd, buffer.data() + filled, buffer.size() - filled);
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "read({})", name);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  return filled;
}

Result<bool> SameBytes(const UniqueFd& one, const UniqueFd& other, const std::string& name) {
  std::vector<char> of_one(kCompareBytes);
  std::vector<char> of_other(kCompareBytes);
  while (true) {
    CKPT_TRY(const size_t one_bytes, Fill(one.get(), of_one, name));
    CKPT_TRY(const size_t other_bytes, Fill(other.get(), of_other, name));
    if (one_bytes != other_bytes) return false;
    if (one_bytes == 0) return true;
    if (!std::equal(of_one.begin(), of_one.begin() + static_cast<ptrdiff_t>(one_bytes),
                    of_other.begin())) {
      return false;
    }
  }
}

bool HasAccessPaths(const MapUnion& mount) {
  return std::ranges::any_of(mount.branches,
                             [](const Branch& branch) { return branch.access_path.has_value(); });
}

// The name of the union behind a pseudo-link: another name of the inode, in the same branch, that
// the union shows. Nothing for one that has none left.
Result<std::optional<std::string>> FollowPseudoLink(const LayerStack& layers,
                                                    const BranchMatch& raw,
                                                    const struct stat& inode) {
  CKPT_TRY(const auto names, layers.tree(raw.branch_index).FindNamesOf(inode));
  for (const std::string& name : names) {
    CKPT_TRY(const LayerFile shown, layers.Find(name));
    if (shown.found && SameInode(shown.status, inode)) return std::optional<std::string>(name);
  }
  return std::optional<std::string>();
}

void SetShown(const LayerStack& layers, const LayerFile& file, ResolvedFile& resolved) {
  resolved.shown = FactsOf(file.status);
  resolved.shown_path = layers.tree(file.branch).PathOf(file.rest);
}

// Tells whether the file that the union shows is as good as the branch's.
Result<> CompareWithShown(const LayerStack& layers, const FileQuestion& question,
                          const std::optional<struct stat>& raw, const LayerFile& shown,
                          ResolvedFile& resolved) {
  const std::string shown_by = fmt::format("branch {} has another file of that name", shown.branch);
  resolved.fate = FileFate::kPresent;
  if (S_ISDIR(shown.status.st_mode) && (!raw || S_ISDIR(raw->st_mode))) return success();
  if (!raw) {
    if (question.recorded && *question.recorded != FactsOf(shown.status)) {
      resolved.fate = FileFate::kShadowed;
      resolved.why = shown_by + ", of another size or mode than was recorded";
    } else {
      resolved.why = fmt::format("branch {} has it no more, branch {} a file of that name",
                                 question.raw.branch_index, shown.branch);
    }
    return success();
  }
  if (SameInode(*raw, shown.status)) return success();
  CKPT_TRY(const bool same, SameContent(layers.tree(question.raw.branch_index), question.raw.rest,
                                        layers.tree(shown.branch), shown.rest));
  if (same) {
    resolved.why = fmt::format("copied to branch {}, content unchanged", shown.branch);
    return success();
  }
  resolved.fate = FileFate::kShadowed;
  resolved.why = shown_by + ", not the same content";
  return success();
}

bool MayBeAufs(const FileQuestion& question) { return question.mount->type != "overlay"; }

// The beginning of the name below which the union takes no file; empty where there is none.
Result<std::string> FindObstacle(const LayerStack& layers, const FileQuestion& question,
                                 const std::string& rest) {
  if (MayBeAufs(question) && IsReservedInAufs(rest)) return UpToReservedInAufs(rest);
  CKPT_TRY(LayerFile shown, layers.Find(rest));
  return std::move(shown.obstacle);
}

// Of a file whose link says that it is deleted, and that is not really called so. A lower branch
// still has it.
Result<ResolvedFile> ResolveDeletedLink(const LayerStack& layers, const FileQuestion& question) {
  const auto without_suffix = [](const std::string& path) {
    return path.substr(0, path.size() - kDeletedSuffix.size());
  };
  ResolvedFile resolved;
  resolved.fate = FileFate::kDeleted;
  resolved.why = "its link says (deleted)";
  resolved.rest =
      question.rest.ends_with(kDeletedSuffix) ? without_suffix(question.rest) : question.rest;
  CKPT_TRY(resolved.obstacle, FindObstacle(layers, question, resolved.rest));
  const BranchTree& branch = layers.tree(question.raw.branch_index);
  const std::string rest = without_suffix(question.raw.rest);
  CKPT_TRY(const auto raw, branch.Find(rest));
  if (!raw || (question.recorded && *question.recorded != FactsOf(*raw))) return resolved;
  resolved.of_branch = FactsOf(*raw);
  resolved.branch_path = branch.PathOf(rest);
  return resolved;
}

}  // namespace

Result<bool> SameContent(const BranchTree& one, const std::string& one_rest,
                         const BranchTree& other, const std::string& other_rest) {
  CKPT_TRY(const auto one_status, one.Find(one_rest));
  CKPT_TRY(const auto other_status, other.Find(other_rest));
  if (!one_status || !other_status) return false;
  if (one_status->st_mode != other_status->st_mode) return false;
  if (!S_ISREG(one_status->st_mode)) return one_status->st_rdev == other_status->st_rdev;
  if (one_status->st_size != other_status->st_size) return false;
  CKPT_TRY(const UniqueFd one_fd, one.OpenForReading(one_rest));
  CKPT_TRY(const UniqueFd other_fd, other.OpenForReading(other_rest));
  return SameBytes(one_fd, other_fd, one.PathOf(one_rest));
}

Result<UnionResolver> UnionResolver::Open(const BranchMap& map, UnionView view) {
  UnionResolver resolver(std::move(view));
  for (const MapUnion& mount : map.unions) {
    auto layers = LayerStack::Open(mount);
    if (layers.has_value()) {
      resolver.layers_.emplace(&mount, std::move(layers).value());
    } else if (HasAccessPaths(mount)) {
      return std::move(layers).error().In(fmt::format("the branches of union {}", mount.id));
    }
  }
  return resolver;
}

const LayerStack* UnionResolver::FindLayers(const MapUnion& mount) const {
  const auto found = layers_.find(&mount);
  return found == layers_.end() ? nullptr : &found->second;
}

std::optional<std::string> UnionResolver::WhyUnreadable(const MapUnion& mount) const {
  if (FindLayers(mount) != nullptr) return std::nullopt;
  return view_.WhyUnreadable(mount);
}

std::string UnionResolver::Where(const MapUnion& mount) const {
  if (!view_.WhyUnreadable(mount)) return fmt::format("below \"{}\"", EscapeOctal(view_.root()));
  return "in its branches";
}

Result<bool> UnionResolver::Shows(const MapUnion& mount, const std::string& name) const {
  if (!view_.WhyUnreadable(mount)) {
    CKPT_TRY(const auto found, view_.Find(name));
    return found.has_value();
  }
  const LayerStack* layers = FindLayers(mount);
  if (layers == nullptr || !IsWithin(name, mount.mountpoint)) return false;
  const std::string rest =
      mount.mountpoint == "/" ? name : name.substr(std::min(mount.mountpoint.size(), name.size()));
  CKPT_TRY(const LayerFile file, layers->Find(rest));
  return file.found;
}

Result<ResolvedFile> UnionResolver::ResolveInLayers(const LayerStack& layers,
                                                    const FileQuestion& question) const {
  ResolvedFile resolved;
  resolved.rest = question.rest;
  const BranchTree& branch = layers.tree(question.raw.branch_index);
  CKPT_TRY(const auto raw, branch.Find(question.raw.rest));
  if (raw) {
    resolved.of_branch = FactsOf(*raw);
    resolved.branch_path = branch.PathOf(question.raw.rest);
  } else if (question.raw.rest.ends_with(kDeletedSuffix)) {
    return ResolveDeletedLink(layers, question);
  }
  if (MayBeAufs(question) && IsReservedInAufs(question.rest)) {
    resolved.fate = FileFate::kDeleted;
    resolved.why = "it is a name of AUFS itself and no other name of the file is left";
    resolved.obstacle = UpToReservedInAufs(question.rest);
    if (!raw || !question.raw.rest.starts_with(kPseudoLinks)) return resolved;
    CKPT_TRY(auto name, FollowPseudoLink(layers, question.raw, *raw));
    if (!name) return resolved;
    resolved.rest = std::move(*name);
    resolved.obstacle.clear();
  }
  CKPT_TRY(const LayerFile shown, layers.Find(resolved.rest));
  if (!shown.found) {
    resolved.fate = FileFate::kDeleted;
    resolved.why = shown.absence;
    resolved.obstacle = shown.obstacle;
    return resolved;
  }
  SetShown(layers, shown, resolved);
  if (resolved.rest != question.rest) {
    resolved.fate = FileFate::kPresent;
    resolved.why = "the pseudo-link's inode has that name";
    return resolved;
  }
  CKPT_TRY(CompareWithShown(layers, question, raw, shown, resolved));
  return resolved;
}

Result<ResolvedFile> UnionResolver::Resolve(const FileQuestion& question) const {
  ResolvedFile resolved;
  resolved.rest = question.rest;
  if (const LayerStack* layers = FindLayers(*question.mount)) {
    CKPT_TRY(resolved, ResolveInLayers(*layers, question));
  }
  const bool has_other_name = resolved.rest != question.rest || IsReservedInAufs(question.rest);
  if (view_.WhyUnreadable(*question.mount) || has_other_name) return resolved;
  if (resolved.fate == FileFate::kDeleted || resolved.fate == FileFate::kShadowed) return resolved;
  CKPT_TRY(const auto found, view_.Find(question.name));
  if (!found) {
    return MakeError(ErrorCode::kNotFound, "would become \"{}\", which is not below {}",
                     EscapeOctal(question.name), view_.root());
  }
  resolved.fate = FileFate::kPresent;
  resolved.shown = found;
  if (resolved.shown_path.empty()) resolved.shown_path = view_.root() + question.name;
  return resolved;
}

}  // namespace ckpt
