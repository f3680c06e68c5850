#include "process/union_branches.h"

#include <cstddef>

#include "process/escapes.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

UnionBranch OverlayBranch(std::string path, bool upper, bool data) {
  UnionBranch branch{std::move(path), upper ? "rw" : "ro", {}};
  if (data) branch.attributes.emplace_back("data");
  return branch;
}

// Takes an option value apart byte by byte. Two escapes are on top of each other: octal ones of the
// kernel's printing, and below them backslashes of whoever mounted. An octal escape is never a
// separator: 6.6 prints the ':' of a name so.
class LayerScanner {
 public:
  explicit LayerScanner(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  bool AtSeparator() const { return text_.starts_with(':'); }
  void SkipSeparator() { text_.remove_prefix(1); }

  std::string ReadName() {
    std::string name;
    while (!AtEnd() && !AtSeparator()) {
      char byte = TakeByte();
      if (byte == '\\' && !AtEnd()) byte = TakeByte();
      name += byte;
    }
    return name;
  }

 private:
  char TakeByte() {
    const std::string byte = UnescapeOctal(text_.substr(0, 4));
    // Four characters that were an escape have become one.
    text_.remove_prefix(byte.size() == 1 && text_.size() >= 4 ? 4 : 1);
    return byte[0];
  }

  std::string_view text_;
};

void AppendLayers(std::string_view value, std::vector<UnionBranch>& lower) {
  LayerScanner scanner(value);
  bool data = false;
  while (!scanner.AtEnd()) {
    lower.push_back(OverlayBranch(scanner.ReadName(), false, data));
    if (scanner.AtSeparator()) scanner.SkipSeparator();
    data = scanner.AtSeparator();
    if (data) scanner.SkipSeparator();
  }
}

Result<std::vector<UnionBranch>> ParseBranchList(std::string_view list) {
  std::vector<UnionBranch> branches;
  TextScanner scanner(list);
  while (!scanner.AtEnd()) {
    CKPT_TRY(UnionBranch branch, ParseAufsBranch(scanner.ReadUntil(':')));
    branches.push_back(std::move(branch));
  }
  return branches;
}

// The branches in the option that starts with `prefix`.
Result<std::vector<UnionBranch>> ParseListOption(std::string_view options,
                                                 std::string_view prefix) {
  TextScanner scanner(options);
  while (!scanner.AtEnd()) {
    TextScanner option(scanner.ReadUntil(','));
    if (option.Skip(prefix)) return ParseBranchList(option.rest());
  }
  return std::vector<UnionBranch>();
}

}  // namespace

Result<UnionBranch> ParseAufsBranch(std::string_view text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) {
    return MakeError(ErrorCode::kBadFormat, "found \"{}\", expected \"PATH=PERMISSION\"", text);
  }
  UnionBranch branch;
  branch.path = UnescapeOctal(text.substr(0, equals));
  TextScanner scanner(text.substr(equals + 1));
  branch.permissions = scanner.ReadUntil('+');
  while (!scanner.AtEnd()) branch.attributes.emplace_back(scanner.ReadUntil('+'));
  return branch;
}

Result<std::vector<UnionBranch>> ParseAufsOptions(std::string_view options) {
  return ParseListOption(options, "br:");
}

Result<std::vector<UnionBranch>> ParseUnionfsOptions(std::string_view options) {
  return ParseListOption(options, "dirs=");
}

std::vector<UnionBranch> ParseOverlayOptions(std::string_view options) {
  std::vector<UnionBranch> branches;
  std::vector<UnionBranch> lower;
  std::vector<UnionBranch> data;
  TextScanner scanner(options);
  while (!scanner.AtEnd()) {
    TextScanner option(scanner.ReadUntil(','));
    if (option.Skip("upperdir=")) {
      branches.push_back(OverlayBranch(LayerScanner(option.rest()).ReadName(), true, false));
    } else if (option.Skip("lowerdir=")) {
      AppendLayers(option.rest(), lower);
    } else if (option.Skip("lowerdir+=")) {
      lower.push_back(OverlayBranch(UnescapeOctal(option.rest()), false, false));
    } else if (option.Skip("datadir+=")) {
      data.push_back(OverlayBranch(UnescapeOctal(option.rest()), false, true));
    }
  }
  branches.insert(branches.end(), lower.begin(), lower.end());
  branches.insert(branches.end(), data.begin(), data.end());
  return branches;
}

}  // namespace ckpt
