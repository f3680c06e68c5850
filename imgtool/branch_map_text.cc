#include "imgtool/branch_map_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr uint32_t kMinorBits = 20;

using Words = std::vector<std::string_view>;

// A '#' begins a comment where a word could begin; inside a word it is a byte like others.
Words SplitWords(std::string_view line) {
  Words words;
  while (true) {
    const size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos || line[begin] == '#') return words;
    line.remove_prefix(begin);
    words.push_back(line.substr(0, line.find_first_of(kBlanks)));
    line.remove_prefix(words.back().size());
  }
}

Error Malformed(std::string message) { return Error{ErrorCode::kBadFormat, std::move(message)}; }

Result<std::string> ParsePath(std::string_view word) {
  CKPT_TRY(const std::string path, UnescapeOctal(word));
  return NormalPath(path);
}

Result<uint32_t> ParseNumber(std::string_view word) {
  uint32_t number = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (problem != std::errc() || end != word.data() + word.size()) {
    return Malformed(fmt::format("\"{}\" is no number of 32 bits", word));
  }
  return number;
}

bool IsAttribute(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char character) {
    return (character >= 'a' && character <= 'z') || character == '_';
  });
}

// "ro+wh": the permission, then attributes, each behind a '+'.
Result<> ParsePermission(std::string_view word, Branch& branch) {
  const size_t end = std::min(word.find('+'), word.size());
  const auto permission = FindBranchPermission(word.substr(0, end));
  if (!permission) {
    return Malformed(fmt::format("branch permission \"{}\": rw, ro or rr, then +attributes", word));
  }
  branch.permission = *permission;
  for (std::string_view left = word.substr(end); !left.empty();) {
    left.remove_prefix(1);
    const std::string_view attribute = left.substr(0, left.find('+'));
    if (!IsAttribute(attribute)) {
      return Malformed(fmt::format("branch permission \"{}\": an attribute is letters", word));
    }
    branch.attributes.emplace_back(attribute);
    left.remove_prefix(attribute.size());
  }
  return success();
}

Result<> SayMountpoint(const Words& words, MapUnion& mount) {
  CKPT_TRY(mount.mountpoint, ParsePath(words[1]));
  mount.mountpoint_is_sure = true;
  return success();
}

Result<> SayType(const Words& words, MapUnion& mount) {
  CKPT_TRY(mount.type, UnescapeOctal(words[1]));
  return success();
}

Result<> SayMountId(const Words& words, MapUnion& mount) {
  CKPT_TRY(mount.mnt_id, ParseNumber(words[1]));
  return success();
}

Result<> SayNamespace(const Words& words, MapUnion& mount) {
  CKPT_TRY(mount.mnt_ns_id, ParseNumber(words[1]));
  return success();
}

Result<> SaySi(const Words& words, MapUnion& mount) {
  CKPT_TRY(mount.si, UnescapeOctal(words[1]));
  return success();
}

// "MAJOR:MINOR", as in mountinfo.
Result<> SayDevice(const Words& words, MapUnion& mount) {
  const size_t colon = std::min(words[1].find(':'), words[1].size());
  CKPT_TRY(const uint32_t major, ParseNumber(words[1].substr(0, colon)));
  CKPT_TRY(const uint32_t minor,
           ParseNumber(words[1].substr(std::min(colon + 1, words[1].size()))));
  mount.device = major << kMinorBits | (minor & ((1U << kMinorBits) - 1));
  return success();
}

Result<> SayBranch(const Words& words, MapUnion& mount) {
  Branch branch;
  CKPT_TRY(ParsePermission(words[1], branch));
  CKPT_TRY(branch.path, ParsePath(words[2]));
  if (words.size() > 3) {
    if (words[3] != "at") {
      return Malformed(
          fmt::format("\"{}\" where \"at\" or the end of the line should be; a space "
                      "in a path is written \\040",
                      words[3]));
    }
    CKPT_TRY(branch.access_path, ParsePath(words[4]));
  }
  mount.branches.push_back(std::move(branch));
  return success();
}

// One row per line that a union's description has.
struct Statement {
  std::string_view word;
  std::string_view form;
  size_t fewest_words;
  size_t most_words;
  bool once;
  Result<> (*say)(const Words& words, MapUnion& mount);
};

constexpr std::array<Statement, 7> kStatements{{
    {"mountpoint", "mountpoint PATH", 2, 2, true, SayMountpoint},
    {"type", "type NAME", 2, 2, true, SayType},
    {"mnt-id", "mnt-id NUMBER", 2, 2, true, SayMountId},
    {"mnt-ns", "mnt-ns NUMBER", 2, 2, true, SayNamespace},
    {"si", "si ID", 2, 2, true, SaySi},
    {"device", "device MAJOR:MINOR", 2, 2, true, SayDevice},
    {"branch", "branch PERMISSION PATH [at PATH]", 3, 5, false, SayBranch},
}};

class Parser {
 public:
  explicit Parser(std::string_view name) : name_(name) {}

  Result<> ParseLine(std::string_view line) {
    ++line_number_;
    const Words words = SplitWords(line);
    if (words.empty()) return success();
    if (auto parsed = ParseWords(words); parsed.has_error()) {
      return std::move(parsed).error().In(Place());
    }
    return success();
  }

  Result<BranchMap> Finish() && {
    if (!has_header_) return Malformed(fmt::format("{}: {}", name_, HeaderExpected()));
    if (map_.unions.empty()) return Malformed(fmt::format("{}: the map has no union", name_));
    for (MapUnion& mount : map_.unions) {
      if (mount.mountpoint.empty()) mount.mountpoint = "/";
    }
    CKPT_TRY(CheckBranchMap(map_));
    return std::move(map_);
  }

 private:
  std::string Place() const { return fmt::format("{}:{}", name_, line_number_); }

  static std::string HeaderExpected() {
    return fmt::format("a branch map begins with the line \"{} {}\"", kBranchMapWord,
                       kBranchMapVersion);
  }

  Result<> ParseWords(const Words& words) {
    if (!has_header_) return ParseHeader(words);
    if (words[0] == "union") return BeginUnion(words);
    const auto statement = std::ranges::find(kStatements, words[0], &Statement::word);
    if (statement == kStatements.end()) {
      return Malformed(fmt::format(
          "\"{}\" is none of union, mountpoint, type, mnt-id, mnt-ns, si, device and branch",
          words[0]));
    }
    if (map_.unions.empty()) {
      return Malformed(fmt::format("\"{}\" before the first union", words[0]));
    }
    return Say(*statement, words);
  }

  Result<> Say(const Statement& statement, const Words& words) {
    if (words.size() < statement.fewest_words || words.size() > statement.most_words ||
        words.size() == 4) {
      return Malformed(fmt::format("{} words, the form is \"{}\"", words.size(), statement.form));
    }
    const auto said_before = [&](std::string_view word) { return word == statement.word; };
    if (statement.once && std::ranges::any_of(said_, said_before)) {
      return Malformed(fmt::format("\"{}\" twice in one union", statement.word));
    }
    said_.push_back(statement.word);
    MapUnion& mount = map_.unions.back();
    CKPT_TRY(statement.say(words, mount));
    if (!statement.once) mount.branches.back().origin = Place();
    return success();
  }

  Result<> ParseHeader(const Words& words) {
    if (words.size() != 2 || words[0] != kBranchMapWord) return Malformed(HeaderExpected());
    CKPT_TRY(const uint32_t version, ParseNumber(words[1]));
    if (version != kBranchMapVersion) {
      return MakeError(ErrorCode::kUnsupported, "branch map version {}, only {} is known", version,
                       kBranchMapVersion);
    }
    has_header_ = true;
    return success();
  }

  Result<> BeginUnion(const Words& words) {
    if (words.size() != 2) {
      return Malformed(fmt::format("{} words, the form is \"union ID\"", words.size()));
    }
    MapUnion mount;
    CKPT_TRY(mount.id, UnescapeOctal(words[1]));
    mount.origin = Place();
    map_.unions.push_back(std::move(mount));
    said_.clear();
    return success();
  }

  std::string_view name_;
  size_t line_number_ = 0;
  bool has_header_ = false;
  Words said_;  // the statements of the current union
  BranchMap map_;
};

std::string Word(std::string_view bytes) { return EscapeOctal(bytes, " #"); }

std::string PrintBranch(const Branch& branch) {
  std::string line = fmt::format("  branch {}", BranchPermissionName(branch.permission));
  for (const std::string& attribute : branch.attributes) line += "+" + attribute;
  line += " " + Word(branch.path);
  if (branch.access_path) line += " at " + Word(*branch.access_path);
  return line + "\n";
}

std::string PrintUnion(const MapUnion& mount) {
  std::string text =
      fmt::format("union {}\n  mountpoint {}\n", Word(mount.id), Word(mount.mountpoint));
  if (!mount.type.empty()) text += fmt::format("  type {}\n", Word(mount.type));
  if (mount.mnt_id) text += fmt::format("  mnt-id {}\n", *mount.mnt_id);
  if (mount.mnt_ns_id) text += fmt::format("  mnt-ns {}\n", *mount.mnt_ns_id);
  if (!mount.si.empty()) text += fmt::format("  si {}\n", Word(mount.si));
  if (mount.device) {
    text += fmt::format("  device {}:{}\n", *mount.device >> kMinorBits,
                        *mount.device & ((1U << kMinorBits) - 1));
  }
  for (const Branch& branch : mount.branches) text += PrintBranch(branch);
  return text;
}

}  // namespace

Result<BranchMap> ParseBranchMap(std::string_view text, std::string_view name) {
  Parser parser(name);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    CKPT_TRY(parser.ParseLine(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(parser).Finish();
}

std::string PrintBranchMap(const BranchMap& map) {
  std::string text = fmt::format("{} {}\n", kBranchMapWord, kBranchMapVersion);
  for (const MapUnion& mount : map.unions) text += PrintUnion(mount);
  return text;
}

}  // namespace ckpt
