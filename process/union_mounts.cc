#include "process/union_mounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

std::string FindId(std::string_view options) {
  TextScanner scanner(options);
  while (!scanner.AtEnd()) {
    TextScanner option(scanner.ReadUntil(','));
    if (option.Skip("si=")) return std::string(option.rest());
  }
  return {};
}

// N of "brN"; "brid0" and "xi_path" lie beside them.
std::optional<uint64_t> BranchNumber(std::string_view name) {
  TextScanner scanner(name);
  if (!scanner.Skip("br")) return std::nullopt;
  const auto number = scanner.ReadDecimal();
  return scanner.AtEnd() ? number : std::nullopt;
}

Result<std::vector<std::pair<uint64_t, std::string>>> ListBranchFiles(
    const std::string& directory) {
  CKPT_TRY(const std::vector<std::string> names, ListDirectory(directory));
  std::vector<std::pair<uint64_t, std::string>> files;
  for (const std::string& name : names) {
    if (const auto number = BranchNumber(name)) files.emplace_back(*number, name);
  }
  std::ranges::sort(files);
  return files;
}

Result<UnionBranch> ReadBranchFile(const std::string& path) {
  CKPT_TRY(const std::string text, ReadWholeFile(path));
  auto branch = ParseAufsBranch(TextScanner(text).ReadLine());
  if (branch.has_error()) return std::move(branch).error().In(path);
  return branch;
}

// An absolute path without symbolic links; nothing when it leads nowhere.
std::optional<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), std::free);
  if (!real) return std::nullopt;
  return std::string(real.get());
}

std::vector<std::string> DirectoriesAbove(const std::string& path) {
  std::vector<std::string> directories;
  const std::filesystem::path start(path);
  if (!start.is_absolute()) return directories;
  for (auto above = start; above.has_relative_path();) {
    above = above.parent_path();
    directories.push_back(above.string());
  }
  return directories;
}

std::vector<std::string> StartDirectories(const Mount& mount,
                                          const std::vector<UnionBranch>& branches,
                                          const UnionSources& sources) {
  if (!sources.working_directory.empty()) return {sources.working_directory};
  std::vector<std::string> directories;
  for (const UnionBranch& branch : branches) {
    if (branch.permissions == "rw") directories = DirectoriesAbove(branch.path);
  }
  const std::vector<std::string> above_mount = DirectoriesAbove(mount.mountpoint);
  directories.insert(directories.end(), above_mount.begin(), above_mount.end());
  return directories;
}

// All relative paths of a mount start from one directory, so it must have all of them.
bool HasAllRelative(const std::string& directory, const std::vector<UnionBranch>& branches) {
  return std::ranges::all_of(branches, [&directory](const UnionBranch& branch) {
    return branch.path.starts_with('/') || RealPath(directory + "/" + branch.path);
  });
}

void ResolvePaths(const std::vector<std::string>& starts, std::vector<UnionBranch>& branches) {
  const auto start = std::ranges::find_if(starts, [&branches](const std::string& directory) {
    return HasAllRelative(directory, branches);
  });
  for (UnionBranch& branch : branches) {
    const bool absolute = branch.path.starts_with('/');
    if (!absolute && start == starts.end()) continue;
    const auto real = RealPath(absolute ? branch.path : *start + "/" + branch.path);
    if (real) branch.path = *real;
  }
}

Result<std::vector<UnionBranch>> AufsBranches(const UnionMount& mount,
                                              const UnionSources& sources) {
  auto branches = ReadAufsBranches(sources.aufs_sysfs, mount.id);
  const bool absent = branches.has_error() && branches.error().code == ErrorCode::kNotFound;
  return absent ? ParseAufsOptions(mount.options) : branches;
}

Result<std::vector<UnionBranch>> BranchesOf(const Mount& mount, const UnionMount& found,
                                            const UnionSources& sources) {
  if (mount.fstype == "aufs") return AufsBranches(found, sources);
  if (mount.fstype == "unionfs") return ParseUnionfsOptions(mount.super_options);
  std::vector<UnionBranch> branches = ParseOverlayOptions(mount.super_options);
  ResolvePaths(StartDirectories(mount, branches, sources), branches);
  return branches;
}

Result<UnionMount> ToUnionMount(const Mount& mount, const UnionSources& sources) {
  UnionMount found;
  found.mnt_id = mount.mnt_id;
  found.mountpoint = mount.mountpoint;
  found.root = mount.root;
  found.fstype = mount.fstype;
  if (mount.fstype == "aufs") found.id = FindId(mount.super_options);
  found.source = mount.source;
  found.options = mount.super_options;
  auto branches = BranchesOf(mount, found, sources);
  if (branches.has_error()) {
    return std::move(branches).error().In(fmt::format("{} at {}", mount.fstype, mount.mountpoint));
  }
  found.branches = std::move(branches).value();
  return found;
}

}  // namespace

bool IsUnionFilesystem(std::string_view fstype) {
  constexpr std::array<std::string_view, 9> kNames = {"aufs",
                                                      "overlay",
                                                      "overlayfs",
                                                      "unionfs",
                                                      "fuse.fuse-overlayfs",
                                                      "fuse.unionfs-fuse",
                                                      "fuse.unionfs",
                                                      "fuse.mergerfs",
                                                      "mergerfs"};
  return std::ranges::find(kNames, fstype) != kNames.end();
}

Result<std::vector<UnionBranch>> ReadAufsBranches(const std::string& aufs_sysfs,
                                                  const std::string& si) {
  const std::string directory = aufs_sysfs + "/si_" + si;
  CKPT_TRY(const auto files, ListBranchFiles(directory));
  if (files.empty()) return MakeError(ErrorCode::kNotFound, "{}: no br files", directory);
  std::vector<UnionBranch> branches;
  for (const auto& [number, name] : files) {
    CKPT_TRY(UnionBranch branch, ReadBranchFile(fmt::format("{}/{}", directory, name)));
    branches.push_back(std::move(branch));
  }
  return branches;
}

Result<std::vector<UnionMount>> FindUnionMounts(const std::vector<Mount>& mounts,
                                                const UnionSources& sources) {
  std::vector<UnionMount> unions;
  for (const Mount& mount : mounts) {
    if (!IsUnionFilesystem(mount.fstype)) continue;
    CKPT_TRY(UnionMount found, ToUnionMount(mount, sources));
    unions.push_back(std::move(found));
  }
  return unions;
}

}  // namespace ckpt
