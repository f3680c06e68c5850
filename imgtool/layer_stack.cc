#include "imgtool/layer_stack.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

constexpr std::string_view kAufsOpaque = "/.wh..wh..opq";

bool IsOverlayWhiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

LayerFile Absent(std::string why) {
  LayerFile file;
  file.absence = std::move(why);
  return file;
}

}  // namespace

// What a component of a name is in the union.
struct LayerStack::Step {
  LayerFile file;
  std::vector<Part> parts;          // of a directory, topmost first
  std::optional<size_t> hidden_by;  // the branch with the whiteout
};

Result<LayerStack> LayerStack::Open(const MapUnion& mount) {
  LayerStack stack;
  for (const Branch& branch : mount.branches) {
    CKPT_TRY(BranchTree tree, BranchTree::Open(branch.access_path.value_or(branch.path)));
    stack.layers_.push_back({std::move(tree), mount.type != "overlay" && HonoursWhiteouts(branch),
                             mount.type != "aufs"});
  }
  return stack;
}

Result<bool> LayerStack::IsWhitedOut(const Part& part, const std::string& name) const {
  const Layer& layer = layers_[part.branch];
  if (layer.honours_aufs_marks) {
    CKPT_TRY(const auto mark, layer.tree.Find(part.rest + "/.wh." + name));
    if (mark && S_ISREG(mark->st_mode)) return true;
  }
  if (!layer.honours_overlay_marks) return false;
  CKPT_TRY(const auto entry, layer.tree.Find(part.rest + "/" + name));
  if (!entry) return false;
  if (IsOverlayWhiteout(*entry)) return true;
  // Linux 6.7 nests overlays: an empty file with the attribute, in a directory that says so.
  return S_ISREG(entry->st_mode) && entry->st_size == 0 &&
         layer.tree.OverlayAttribute(part.rest, "opaque") == "x" &&
         layer.tree.OverlayAttribute(part.rest + "/" + name, "whiteout").has_value();
}

Result<bool> LayerStack::IsOpaque(const Part& part) const {
  const Layer& layer = layers_[part.branch];
  if (layer.honours_aufs_marks) {
    CKPT_TRY(const auto mark, layer.tree.Find(part.rest + std::string(kAufsOpaque)));
    if (mark) return true;
  }
  return layer.honours_overlay_marks && layer.tree.OverlayAttribute(part.rest, "opaque") == "y";
}

// A directory that was renamed in overlayfs says under which name the layers below have it: a name
// beside it, or a path from their top.
void LayerStack::FollowRedirect(const Part& directory, std::string& name) const {
  const Layer& layer = layers_[directory.branch];
  if (!layer.honours_overlay_marks) return;
  if (auto redirect = layer.tree.OverlayAttribute(directory.rest, "redirect")) {
    name = std::move(*redirect);
  }
}

// Looks into one part of the parent. Whether the parts below count, too.
Result<bool> LayerStack::EnterPart(const Part& part, std::string& name, Step& step) const {
  CKPT_TRY(const bool hidden, IsWhitedOut(part, name));
  if (hidden) {
    if (!step.file.found) step.hidden_by = part.branch;
    return false;
  }
  const Part child{part.branch, part.rest + "/" + name};
  CKPT_TRY(const auto status, layers_[part.branch].tree.Find(child.rest));
  if (!status) return true;
  const bool is_directory = S_ISDIR(status->st_mode);
  if (!step.file.found) {
    step.file = {.found = true, .branch = child.branch, .rest = child.rest, .status = *status};
    if (!is_directory) return false;
  }
  // A file below a directory is not merged; AUFS looks on, overlayfs does not.
  if (!is_directory) return !layers_[part.branch].honours_overlay_marks;
  step.parts.push_back(child);
  CKPT_TRY(const bool opaque, IsOpaque(child));
  FollowRedirect(child, name);
  return !opaque;
}

Result<LayerStack::Step> LayerStack::Enter(const std::vector<Part>& parts, std::string name) const {
  Step step;
  for (size_t i = 0; i < parts.size(); ++i) {
    CKPT_TRY(const bool goes_on, EnterPart(parts[i], name, step));
    if (!goes_on) break;
    if (!name.starts_with('/')) continue;
    // From here on the path counts from the top of each lower branch.
    const size_t next = parts[i].branch + 1;
    for (size_t branch = next; branch < layers_.size(); ++branch) {
      std::string below = name.substr(1);
      CKPT_TRY(const bool more, EnterPart({branch, ""}, below, step));
      if (!more || below.starts_with('/')) break;
    }
    break;
  }
  return step;
}

Result<LayerFile> LayerStack::Find(const std::string& rest) const {
  Step step;
  for (size_t i = 0; i < layers_.size(); ++i) step.parts.push_back({i, ""});
  CKPT_TRY(const auto top, layers_.front().tree.Find(""));
  step.file = {
      .found = top.has_value(), .branch = 0, .rest = "", .status = top.value_or((struct stat){})};
  for (size_t at = 1; at < rest.size();) {
    const size_t end = std::min(rest.find('/', at), rest.size());
    if (step.parts.empty()) {
      const std::string obstacle = rest.substr(0, at - 1);
      LayerFile absent = Absent(fmt::format("\"{}\" is no directory", EscapeOctal(obstacle)));
      absent.obstacle = obstacle;
      return absent;
    }
    CKPT_TRY(step, Enter(step.parts, rest.substr(at, end - at)));
    if (!step.file.found) {
      const std::string name = EscapeOctal(rest.substr(0, end));
      if (!step.hidden_by) return Absent(fmt::format("no branch has \"{}\"", name));
      return Absent(fmt::format("branch {} has a whiteout for \"{}\"", *step.hidden_by, name));
    }
    at = end + 1;
  }
  return step.file;
}

}  // namespace ckpt
