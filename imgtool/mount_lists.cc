#include "imgtool/mount_lists.h"

#include <fmt/format.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "imgtool/branch_options.h"
#include "imgtool/json_member.h"
#include "imgtool/mountinfo_line.h"

namespace ckpt {

namespace {

constexpr std::array<std::string_view, 3> kUnionTypes{"aufs", "overlay", "unionfs"};

constexpr int kMaxJsonDepth = 64;  // far over what engines print

using Found = std::optional<std::vector<MapUnion>>;

bool IsUnionType(std::string_view type) {
  return std::ranges::find(kUnionTypes, type) != kUnionTypes.end();
}

// Nothing without branches: AUFS with brs=1 has them in sysfs only.
Result<std::optional<MapUnion>> UnionOfOptions(std::string_view options, const std::string& place) {
  auto parsed = ParseUnionOptions(options);
  if (parsed.has_error()) return std::move(parsed).error().In(place);
  OptionUnion& found = parsed.value();
  if (found.branches.empty()) return std::optional<MapUnion>();
  MapUnion mount;
  mount.type = found.type;
  mount.si = found.si;
  mount.id = found.si.empty() ? found.type : found.si;
  mount.mountpoint = "/";
  mount.origin = place;
  mount.branches = std::move(found.branches);
  for (Branch& branch : mount.branches) branch.origin = place;
  return std::optional<MapUnion>(std::move(mount));
}

Result<std::optional<MapUnion>> UnionOfMountLine(std::string_view line, const std::string& place) {
  auto parsed = ParseMountLine(line);
  if (parsed.has_error()) return std::move(parsed).error().In(place);
  const MountLine& mount_line = parsed.value();
  if (!IsUnionType(mount_line.fstype)) return std::optional<MapUnion>();
  CKPT_TRY(auto mount, UnionOfOptions(mount_line.options, place));
  if (!mount) return mount;
  CKPT_TRY(mount->mountpoint, NormalPath(mount_line.mountpoint));
  mount->mnt_id = mount_line.mnt_id;
  if (mount_line.mnt_id) mount->device = mount_line.device;
  if (mount->si.empty()) {
    mount->id = mount_line.mnt_id ? fmt::format("{}", *mount_line.mnt_id) : mount->mountpoint;
  }
  return mount;
}

// The word behind `flag` in a command line.
std::string_view WordBehind(std::string_view line, std::string_view flag) {
  const size_t at = line.find(flag);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + flag.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return line.substr(0, line.find_first_of(" \r\n"));
}

Result<std::optional<MapUnion>> UnionOfLine(std::string_view line, const std::string& place) {
  if (IsMountinfoLine(line) || IsMountsLine(line)) return UnionOfMountLine(line, place);
  if (line.starts_with("mount ")) return UnionOfOptions(WordBehind(line, " -o"), place);
  const bool is_one_word = line.find(' ') == std::string_view::npos;
  if (is_one_word && HasUnionOptions(line)) return UnionOfOptions(line, place);
  return std::optional<MapUnion>();
}

// Several unions of one kind without ids of their own are told apart by their place.
void MakeIdsUnique(std::vector<MapUnion>& unions) {
  for (size_t i = 0; i < unions.size(); ++i) {
    const auto earlier = unions.begin() + static_cast<ptrdiff_t>(i);
    if (std::any_of(unions.begin(), earlier,
                    [&](const MapUnion& other) { return other.id == unions[i].id; })) {
      unions[i].id += fmt::format("-{}", i + 1);
    }
  }
}

class JsonWalk {
 public:
  explicit JsonWalk(const std::string& place) : place_(place) {}

  // Goes through all values; what is an object of one of the two kinds is a union.
  Result<> Visit(const rapidjson::Value& value, int depth = 0) {
    if (depth > kMaxJsonDepth) {
      return MakeError(ErrorCode::kUnsupported, "{}: JSON of more than {} levels", place_,
                       kMaxJsonDepth);
    }
    if (value.IsArray()) {
      for (const auto& element : value.GetArray()) CKPT_TRY(Visit(element, depth + 1));
    } else if (value.IsObject()) {
      CKPT_TRY(VisitObject(value));
      for (const auto& member : value.GetObject()) CKPT_TRY(Visit(member.value, depth + 1));
    }
    return success();
  }

  std::vector<MapUnion> TakeUnions() { return std::move(unions_); }

 private:
  Result<> VisitObject(const rapidjson::Value& object) {
    const std::string lower = StringMember(object, "LowerDir");
    const std::string upper = StringMember(object, "UpperDir");
    if (!lower.empty()) {
      return Add("lowerdir=" + lower + (upper.empty() ? "" : ",upperdir=" + upper));
    }
    const std::string type = StringMember(object, object.HasMember("Type") ? "Type" : "type");
    const auto options = object.FindMember(object.HasMember("Options") ? "Options" : "options");
    if (!IsUnionType(type) || options == object.MemberEnd() || !options->value.IsArray()) {
      return success();
    }
    std::string joined;
    for (const auto& option : options->value.GetArray()) {
      if (!option.IsString()) continue;
      if (!joined.empty()) joined += ',';
      joined.append(option.GetString(), option.GetStringLength());
    }
    return Add(joined);
  }

  Result<> Add(const std::string& options) {
    CKPT_TRY(auto mount, UnionOfOptions(options, place_));
    if (mount) unions_.push_back(std::move(*mount));
    return success();
  }

  const std::string& place_;
  std::vector<MapUnion> unions_;
};

}  // namespace

FoundUnions ReadMountLines(std::string_view text, const std::string& name) {
  std::vector<MapUnion> unions;
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    CKPT_TRY(auto mount, UnionOfLine(line, fmt::format("{}:{}", name, line_number)));
    if (mount) unions.push_back(std::move(*mount));
  }
  MakeIdsUnique(unions);
  return unions.empty() ? Found() : Found(std::move(unions));
}

FoundUnions ReadInspectJson(std::string_view text, const std::string& name) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || (text[begin] != '{' && text[begin] != '[')) return Found();
  rapidjson::Document document;
  // Iterative: as deep as the text, whose size is bounded, without a stack to overflow.
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document.HasParseError()) return Found();
  JsonWalk walk(name);
  CKPT_TRY(walk.Visit(document));
  std::vector<MapUnion> unions = walk.TakeUnions();
  MakeIdsUnique(unions);
  return unions.empty() ? Found() : Found(std::move(unions));
}

}  // namespace ckpt
