#include "imgtool/branch_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

class OptionReader {
 public:
  explicit OptionReader(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  bool AtSeparator() const { return text_.starts_with(':'); }
  void SkipSeparator() { text_.remove_prefix(1); }

  // Up to an unescaped ':', or to the end.
  std::string ReadName() {
    std::string name;
    while (!AtEnd() && !AtSeparator()) {
      // Of overlayfs's own escapes, which lie below those of the kernel's printing.
      char byte = Take();
      if (byte == '\\' && !AtEnd()) byte = Take();
      name += byte;
    }
    return name;
  }

 private:
  // An octal escape is never a separator: Linux 6.6 prints the ':' of a name so.
  char Take() {
    if (const auto bytes = UnescapeOctal(text_.substr(0, 4));
        text_[0] == '\\' && bytes.has_value() && bytes.value().size() == 1) {
      text_.remove_prefix(4);
      return bytes.value()[0];
    }
    const char byte = text_[0];
    text_.remove_prefix(1);
    return byte;
  }

  std::string_view text_;
};

// Options are separated by commas; one behind a backslash belongs to a path.
std::string_view TakeOption(std::string_view& options) {
  size_t end = 0;
  while (end < options.size() && options[end] != ',') end += options[end] == '\\' ? 2 : 1;
  end = std::min(end, options.size());
  const std::string_view option = options.substr(0, end);
  options.remove_prefix(std::min(end + 1, options.size()));
  return option;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool TakeBranchList(std::string_view& option) {
  return TakePrefix(option, "br:") || TakePrefix(option, "br=") || TakePrefix(option, "dirs=") ||
         TakePrefix(option, "dirs:");
}

Result<> ParseBranchList(std::string_view list, std::vector<Branch>& branches) {
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(':'));
    list.remove_prefix(std::min(one.size() + 1, list.size()));
    const auto permission =
        branches.empty() ? BranchPermission::kReadWrite : BranchPermission::kReadOnly;
    CKPT_TRY(Branch branch, ParseAufsBranch(one, permission));
    branches.push_back(std::move(branch));
  }
  return success();
}

// The layers of overlayfs as they were read, before they become branches.
struct OverlayLayers {
  std::optional<std::string> upper;
  std::vector<std::string> lower;
  std::vector<std::string> data;
};

// Behind "::" come layers that hold nothing but data.
void ReadLayers(std::string_view value, OverlayLayers& layers) {
  OptionReader reader(value);
  bool is_data = false;
  while (!reader.AtEnd()) {
    (is_data ? layers.data : layers.lower).push_back(reader.ReadName());
    if (reader.AtSeparator()) reader.SkipSeparator();
    if (!reader.AtSeparator()) continue;
    is_data = true;
    reader.SkipSeparator();
  }
}

bool ReadOverlayOption(std::string_view option, OverlayLayers& layers) {
  if (TakePrefix(option, "upperdir=")) {
    layers.upper = OptionReader(option).ReadName();
  } else if (TakePrefix(option, "lowerdir=")) {
    ReadLayers(option, layers);
  } else if (TakePrefix(option, "lowerdir+=")) {
    layers.lower.push_back(OptionReader(option).ReadName());
  } else if (TakePrefix(option, "datadir+=")) {
    layers.data.push_back(OptionReader(option).ReadName());
  } else {
    return false;
  }
  return true;
}

// Docker's "l/NAME" are links beside the layers' directories: relative to them when the list would
// be too long for a page otherwise.
Result<std::string> ResolveLayer(const std::string& layer, const OverlayLayers& layers) {
  std::string path = layer;
  if (!path.starts_with('/')) {
    const fs::path upper = layers.upper.value_or("");
    if (!upper.is_absolute()) {
      return MakeError(ErrorCode::kUnsupported,
                       "layer \"{}\" is relative, and no upperdir tells to what",
                       EscapeOctal(layer));
    }
    path = (upper.parent_path().parent_path() / layer).string();
  }
  std::error_code problem;
  if (!fs::is_symlink(path, problem)) {
    if (layer.starts_with('/')) return path;
    return MakeError(ErrorCode::kUnsupported,
                     "layer \"{}\" is relative and no link below \"{}\" here: take the list on the "
                     "machine that it is of",
                     EscapeOctal(layer), EscapeOctal(fs::path(path).parent_path().string()));
  }
  const fs::path target = fs::read_symlink(path, problem);
  return (fs::path(path).parent_path() / target).lexically_normal().string();
}

Result<Branch> OverlayBranch(const std::string& layer, const OverlayLayers& layers,
                             BranchPermission permission) {
  CKPT_TRY(const std::string resolved, ResolveLayer(layer, layers));
  Branch branch;
  CKPT_TRY(branch.path, NormalPath(resolved));
  branch.permission = permission;
  return branch;
}

Result<> AddLayers(const OverlayLayers& layers, std::vector<Branch>& branches) {
  if (layers.upper) {
    CKPT_TRY(Branch upper, OverlayBranch(*layers.upper, layers, BranchPermission::kReadWrite));
    branches.push_back(std::move(upper));
  }
  for (const std::string& layer : layers.lower) {
    CKPT_TRY(Branch lower, OverlayBranch(layer, layers, BranchPermission::kReadOnly));
    branches.push_back(std::move(lower));
  }
  for (const std::string& layer : layers.data) {
    CKPT_TRY(Branch data, OverlayBranch(layer, layers, BranchPermission::kReadOnly));
    data.attributes.emplace_back("data");
    branches.push_back(std::move(data));
  }
  return success();
}

// "ro+wh" in two. Nothing where it is no permission.
std::optional<Branch> FindPermission(std::string_view text) {
  Branch branch;
  const size_t end = std::min(text.find('+'), text.size());
  const auto permission = FindBranchPermission(text.substr(0, end));
  if (!permission) return std::nullopt;
  branch.permission = *permission;
  for (text.remove_prefix(end); !text.empty();) {
    text.remove_prefix(1);
    branch.attributes.emplace_back(text.substr(0, text.find('+')));
    text.remove_prefix(branch.attributes.back().size());
  }
  return branch;
}

}  // namespace

Result<Branch> ParseAufsBranch(std::string_view text, BranchPermission permission) {
  Branch branch;
  branch.permission = permission;
  if (const size_t equals = text.rfind('='); equals != std::string_view::npos) {
    if (auto found = FindPermission(text.substr(equals + 1))) {
      branch = std::move(*found);
      text = text.substr(0, equals);
    }
  }
  CKPT_TRY(const std::string path, UnescapeOctal(text));
  CKPT_TRY(branch.path, NormalPath(path));
  return branch;
}

bool HasUnionOptions(std::string_view options) {
  while (!options.empty()) {
    std::string_view option = TakeOption(options);
    OverlayLayers layers;
    if (TakeBranchList(option) || TakePrefix(option, "si=") || ReadOverlayOption(option, layers)) {
      return true;
    }
  }
  return false;
}

Result<OptionUnion> ParseUnionOptions(std::string_view options) {
  OptionUnion found;
  OverlayLayers layers;
  while (!options.empty()) {
    std::string_view option = TakeOption(options);
    const bool is_unionfs = option.starts_with("dirs");
    if (TakeBranchList(option)) {
      found.type = is_unionfs ? "unionfs" : "aufs";
      CKPT_TRY(ParseBranchList(option, found.branches));
    } else if (TakePrefix(option, "si=")) {
      found.type = "aufs";
      found.si = option;
    } else if (ReadOverlayOption(option, layers)) {
      found.type = "overlay";
    }
  }
  CKPT_TRY(AddLayers(layers, found.branches));
  return found;
}

}  // namespace ckpt
