#include "imgtool/branch_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <utility>

#include "base/file.h"
#include "imgtool/branch_options.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSysfs = "/sys/fs/aufs/si_";
constexpr std::string_view kSiPrefix = "si_";
constexpr size_t kMaxListBytes = size_t{16} << 20;

// Branches by their number, which sorts as a number: br10 is behind br9.
using NumberedBranches = std::map<uint32_t, Branch>;

std::optional<uint32_t> FindNumber(std::string_view text) {
  uint32_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<uint32_t> BranchNumber(std::string_view name) {
  if (!name.starts_with("br")) return std::nullopt;
  return FindNumber(name.substr(2));
}

std::string_view WithoutLineEnd(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

MapUnion MakeUnion(std::string id, std::string type, const std::string& origin) {
  MapUnion mount;
  mount.id = std::move(id);
  mount.type = std::move(type);
  mount.mountpoint = std::string("/");
  mount.origin = origin;
  return mount;
}

MapUnion AufsUnion(const std::string& si, NumberedBranches branches, const std::string& origin) {
  MapUnion mount = MakeUnion(si.empty() ? "aufs" : si, "aufs", origin);
  mount.si = si;
  for (auto& [number, branch] : branches) mount.branches.push_back(std::move(branch));
  return mount;
}

// CRIU leaves permissions out; Docker, whose dumps these are, mounts so.
Branch DefaultBranch(uint32_t number) {
  Branch branch;
  branch.permission = number == 0 ? BranchPermission::kReadWrite : BranchPermission::kReadOnly;
  if (number > 0) branch.attributes = {"wh"};
  return branch;
}

Result<NumberedBranches> ReadSysfsFiles(const std::string& directory) {
  NumberedBranches branches;
  CKPT_TRY(const auto names, ListDirectory(directory));
  for (const std::string& name : names) {
    const auto number = BranchNumber(name);
    if (!number) continue;
    const std::string path = directory + "/" + name;
    CKPT_TRY(const std::string text, ReadWholeFile(path, kMaxListBytes));
    auto branch = ParseAufsBranch(WithoutLineEnd(text), DefaultBranch(*number).permission);
    if (branch.has_error()) return std::move(branch).error().In(path);
    branch.value().origin = path;
    branches.emplace(*number, std::move(branch).value());
  }
  return branches;
}

// The id in "si_1f" or "/x/si_1f/", empty without one.
std::string SiOf(const std::string& directory) {
  const std::string name = (fs::path(directory) / "").parent_path().filename().string();
  return name.starts_with(kSiPrefix) ? name.substr(kSiPrefix.size()) : "";
}

// ".../si_ID/brN : PATH" or ".../si_ID/brN:PATH=PERM" in two.
struct AufsLine {
  std::string si;
  uint32_t number;
  Branch branch;
};

Result<std::optional<AufsLine>> ParseAufsLine(std::string_view line) {
  const size_t at = line.find(kSysfs);
  if (at == std::string_view::npos) return std::optional<AufsLine>();
  std::string_view rest = line.substr(at + kSysfs.size());
  const size_t slash = rest.find('/');
  const size_t colon = rest.find(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos || colon < slash) {
    return std::optional<AufsLine>();
  }
  std::string_view name = rest.substr(slash + 1, colon - slash - 1);
  const bool is_log = name.ends_with(' ');
  if (is_log) name.remove_suffix(1);
  const auto number = BranchNumber(name);
  if (!number) return std::optional<AufsLine>();
  AufsLine parsed{std::string(rest.substr(0, slash)), *number, DefaultBranch(*number)};
  std::string_view path = WithoutLineEnd(rest.substr(colon + 1));
  if (is_log && path.starts_with(' ')) path.remove_prefix(1);
  CKPT_TRY(Branch branch, ParseAufsBranch(path, parsed.branch.permission));
  // With a permission that was said there are its attributes, else those of DefaultBranch().
  if (is_log) branch.attributes = parsed.branch.attributes;
  parsed.branch = std::move(branch);
  return std::optional<AufsLine>(std::move(parsed));
}

Result<Branch> BranchAt(const fs::path& path, const std::string& origin, bool is_top,
                        std::vector<std::string> attributes) {
  Branch branch;
  CKPT_TRY(branch.path, NormalPath(path.lexically_normal().string()));
  branch.permission = is_top ? BranchPermission::kReadWrite : BranchPermission::kReadOnly;
  if (!is_top) branch.attributes = std::move(attributes);
  branch.origin = origin;
  return branch;
}

Result<fs::path> AbsolutePath(const std::string& path) {
  std::error_code problem;
  fs::path absolute = fs::absolute(path, problem);
  if (problem) return ErrnoError(problem.value(), "the absolute path of \"{}\"", path);
  return absolute.lexically_normal();
}

// Where the link of a layer leads, "../ID/diff"; the link itself where it is not here.
fs::path FollowLayerLink(const fs::path& link) {
  std::error_code problem;
  const fs::path target = fs::read_symlink(link, problem);
  return problem ? link : (link.parent_path() / target).lexically_normal();
}

}  // namespace

FoundUnions ReadAufsSysfs(const std::string& directory) {
  using Found = std::optional<std::vector<MapUnion>>;
  CKPT_TRY(NumberedBranches branches, ReadSysfsFiles(directory));
  if (!branches.empty()) {
    return Found({AufsUnion(SiOf(directory), std::move(branches), directory)});
  }
  std::vector<MapUnion> unions;
  CKPT_TRY(const auto names, ListDirectory(directory));
  for (const std::string& name : names) {
    if (!name.starts_with(kSiPrefix)) continue;
    const std::string path = directory + "/" + name;
    CKPT_TRY(NumberedBranches of_one, ReadSysfsFiles(path));
    if (!of_one.empty()) unions.push_back(AufsUnion(SiOf(path), std::move(of_one), path));
  }
  return unions.empty() ? Found() : Found(std::move(unions));
}

FoundUnions ReadAufsLines(std::string_view text, const std::string& name) {
  using Found = std::optional<std::vector<MapUnion>>;
  std::map<std::string, NumberedBranches> by_si;
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string place = fmt::format("{}:{}", name, line_number);
    auto parsed = ParseAufsLine(line);
    if (parsed.has_error()) return std::move(parsed).error().In(place);
    if (!parsed.value()) continue;
    AufsLine& found = *parsed.value();
    found.branch.origin = place;
    const auto [at, added] = by_si[found.si].try_emplace(found.number, found.branch);
    if (!added && at->second.path != found.branch.path) {
      return MakeError(ErrorCode::kBadFormat, "{}: branch {} of si_{} is another one than at {}",
                       place, found.number, found.si, at->second.origin);
    }
  }
  std::vector<MapUnion> unions;
  for (auto& [si, branches] : by_si) unions.push_back(AufsUnion(si, std::move(branches), name));
  return unions.empty() ? Found() : Found(std::move(unions));
}

FoundUnions ReadDockerAufsLayers(const std::string& file) {
  using Found = std::optional<std::vector<MapUnion>>;
  CKPT_TRY(const fs::path path, AbsolutePath(file));
  if (path.parent_path().filename() != "layers") return Found();
  const fs::path diff = path.parent_path().parent_path() / "diff";
  CKPT_TRY(const std::string text, ReadWholeFile(file, kMaxListBytes));
  MapUnion mount = MakeUnion(path.filename().string(), "aufs", file);
  CKPT_TRY(Branch top, BranchAt(diff / path.filename(), file, true, {}));
  mount.branches.push_back(std::move(top));
  for (std::string_view left = text; !left.empty();) {
    const std::string_view id = WithoutLineEnd(left.substr(0, left.find('\n')));
    left.remove_prefix(std::min(left.find('\n'), left.size() - 1) + 1);
    if (id.empty()) continue;
    if (id.find('/') != std::string_view::npos) return Found();
    CKPT_TRY(Branch parent, BranchAt(diff / id, file, false, {"wh"}));
    mount.branches.push_back(std::move(parent));
  }
  return Found({std::move(mount)});
}

FoundUnions ReadOverlayLayerDirectory(const std::string& directory) {
  using Found = std::optional<std::vector<MapUnion>>;
  CKPT_TRY(const fs::path path, AbsolutePath((fs::path(directory) / "").parent_path().string()));
  std::error_code problem;
  if (!fs::is_directory(path / "diff", problem)) return Found();
  MapUnion mount = MakeUnion(path.filename().string(), "overlay", directory);
  CKPT_TRY(Branch top, BranchAt(path / "diff", directory, true, {}));
  mount.branches.push_back(std::move(top));
  const std::string lower = (path / "lower").string();
  if (!fs::exists(lower, problem)) return Found({std::move(mount)});
  CKPT_TRY(const std::string text, ReadWholeFile(lower, kMaxListBytes));
  for (std::string_view left = WithoutLineEnd(text); !left.empty();) {
    const std::string_view link = left.substr(0, left.find(':'));
    left.remove_prefix(std::min(link.size() + 1, left.size()));
    CKPT_TRY(Branch layer, BranchAt(FollowLayerLink(path.parent_path() / link), lower, false, {}));
    mount.branches.push_back(std::move(layer));
  }
  return Found({std::move(mount)});
}

}  // namespace ckpt
