#include "imgtool/podman_layers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rapidjson/document.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/file.h"
#include "imgtool/json_member.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxListBytes = size_t{256} << 20;
constexpr size_t kMostNamed = 5;  // in a message

using Parents = std::map<std::string, std::string>;  // id to parent, empty of a lowest layer

// The objects of an array that all have an `id`. Nothing where the file is something else.
Result<std::optional<rapidjson::Document>> ReadList(const std::string& file) {
  using Found = std::optional<rapidjson::Document>;
  CKPT_TRY(const std::string text, ReadWholeFile(file, kMaxListBytes));
  rapidjson::Document list;
  list.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (list.HasParseError() || !list.IsArray()) return Found();
  for (const auto& element : list.GetArray()) {
    if (!element.IsObject() || StringMember(element, "id").empty()) return Found();
  }
  return Found(std::move(list));
}

// Of a file that need not be there.
Result<std::optional<rapidjson::Document>> ReadListIfThere(const fs::path& file) {
  std::error_code problem;
  if (!fs::exists(file, problem)) return std::optional<rapidjson::Document>();
  return ReadList(file.string());
}

void AddParents(const rapidjson::Document& list, Parents& parents) {
  for (const auto& layer : list.GetArray()) {
    parents.emplace(StringMember(layer, "id"), StringMember(layer, "parent"));
  }
}

bool IsCalled(const rapidjson::Value& container, const std::string& wanted) {
  if (StringMember(container, "id").starts_with(wanted)) return true;
  const auto names = container.FindMember("names");
  if (names == container.MemberEnd() || !names->value.IsArray()) return false;
  for (const auto& name : names->value.GetArray()) {
    if (name.IsString() && wanted == name.GetString()) return true;
  }
  return false;
}

// The layers that `wanted` can mean: ids, or those of containers.
Result<std::set<std::string>> LayersCalled(const std::string& wanted, const Parents& parents,
                                           const fs::path& storage) {
  std::set<std::string> called;
  for (const auto& [id, parent] : parents) {
    if (id.starts_with(wanted)) called.insert(id);
  }
  for (const char* name : {"containers.json", "volatile-containers.json"}) {
    CKPT_TRY(const auto containers, ReadListIfThere(storage / "overlay-containers" / name));
    if (!containers) continue;
    for (const auto& container : containers->GetArray()) {
      if (IsCalled(container, wanted)) called.insert(StringMember(container, "layer"));
    }
  }
  return called;
}

std::set<std::string> LayersNothingBuildsOn(const Parents& parents) {
  std::set<std::string> top;
  for (const auto& [id, parent] : parents) top.insert(id);
  for (const auto& [id, parent] : parents) top.erase(parent);
  return top;
}

Result<std::string> TopLayer(const std::string& file, const std::string& wanted,
                             const Parents& parents, const fs::path& storage) {
  std::set<std::string> found = LayersNothingBuildsOn(parents);
  if (!wanted.empty()) {
    CKPT_TRY(found, LayersCalled(wanted, parents, storage));
  }
  if (found.size() == 1) return *found.begin();
  std::vector<std::string> named(found.begin(), found.end());
  if (named.size() > kMostNamed) named.resize(kMostNamed);
  if (named.empty()) {
    return MakeError(ErrorCode::kNotFound, "{}: no layer and no container is called {}", file,
                     wanted);
  }
  return MakeError(ErrorCode::kUsage,
                   "{}: {} layers can be meant, say which by {}#ID of a layer or a container: {}{}",
                   file, found.size(), file, fmt::join(named, ", "),
                   found.size() > kMostNamed ? ", ..." : "");
}

Result<Branch> LayerBranch(const fs::path& storage, const std::string& id, bool is_top,
                           const std::string& file) {
  Branch branch;
  CKPT_TRY(branch.path, NormalPath((storage / "overlay" / id / "diff").string()));
  branch.permission = is_top ? BranchPermission::kReadWrite : BranchPermission::kReadOnly;
  branch.origin = file;
  return branch;
}

Result<MapUnion> UnionOf(const std::string& top, const Parents& parents, const fs::path& storage,
                         const std::string& file) {
  MapUnion mount;
  mount.id = top;
  mount.type = "overlay";
  mount.mountpoint = "/";
  mount.origin = file;
  for (std::string id = top; !id.empty();) {
    const auto layer = parents.find(id);
    if (layer == parents.end() || mount.branches.size() > parents.size()) {
      return MakeError(ErrorCode::kNotFound, "{}: the parents of layer {} lead to {}, which {}",
                       file, top, id, layer == parents.end() ? "is not there" : "leads back");
    }
    CKPT_TRY(Branch branch, LayerBranch(storage, id, mount.branches.empty(), file));
    mount.branches.push_back(std::move(branch));
    id = layer->second;
  }
  return mount;
}

}  // namespace

FoundUnions ReadPodmanLayers(const std::string& file, const std::string& wanted) {
  using Found = std::optional<std::vector<MapUnion>>;
  CKPT_TRY(const auto list, ReadList(file));
  if (!list) return Found();
  std::error_code problem;
  const fs::path directory = fs::absolute(file, problem).lexically_normal().parent_path();
  if (problem) return ErrnoError(problem.value(), "the absolute path of \"{}\"", file);
  if (directory.filename() != "overlay-layers") {
    return MakeError(ErrorCode::kUnsupported,
                     "{}: a list of layers, but not in a directory overlay-layers, beside which "
                     "the layers of unions are",
                     file);
  }
  Parents parents;
  AddParents(*list, parents);
  for (const char* name : {"layers.json", "volatile-layers.json"}) {
    if (fs::path(file).filename() == name) continue;
    CKPT_TRY(const auto other, ReadListIfThere(directory / name));
    if (other) AddParents(*other, parents);
  }
  const fs::path storage = directory.parent_path();
  CKPT_TRY(const std::string top, TopLayer(file, wanted, parents, storage));
  CKPT_TRY(MapUnion mount, UnionOf(top, parents, storage, file));
  return Found({std::move(mount)});
}

}  // namespace ckpt
