#include "restorer/external_mounts.h"

#include <string_view>
#include <utility>

namespace ckpt {

namespace {

constexpr std::string_view kMountPrefix = "mnt[";

Result<> Add(const std::string& key, const std::string& path, const std::string& argument,
             ExternalMounts& mounts) {
  if (key.empty() || path.empty()) {
    return MakeError(ErrorCode::kUsage, "\"{}\" is not of the form KEY:PATH", argument);
  }
  const auto [found, is_new] = mounts.emplace(key, path);
  if (is_new || found->second == path) return success();
  return MakeError(ErrorCode::kUsage, "the external mount {} is said to be {} and {}", key,
                   found->second, path);
}

Result<> AddMap(const std::string& map, ExternalMounts& mounts) {
  if (map == "auto") return success();
  const size_t colon = map.find(':');
  if (colon == map.npos) return Add("", "", map, mounts);
  return Add(map.substr(0, colon), map.substr(colon + 1), map, mounts);
}

Result<> AddExternal(const std::string& external, ExternalMounts& mounts) {
  const size_t end = external.find(']');
  if (!external.starts_with(kMountPrefix) || end == external.npos) {
    return MakeError(ErrorCode::kUsage, "--external {}: only mnt[KEY]:PATH and mnt[] are supported",
                     external);
  }
  const std::string key = external.substr(kMountPrefix.size(), end - kMountPrefix.size());
  const std::string_view rest = std::string_view(external).substr(end + 1);
  if (key.empty()) return success();
  return Add(key, rest.starts_with(':') ? std::string(rest.substr(1)) : "", external, mounts);
}

}  // namespace

Result<ExternalMounts> ParseExternalMounts(const std::vector<std::string>& maps,
                                           const std::vector<std::string>& externals) {
  ExternalMounts mounts;
  for (const std::string& map : maps) CKPT_TRY(AddMap(map, mounts));
  for (const std::string& external : externals) CKPT_TRY(AddExternal(external, mounts));
  return mounts;
}

}  // namespace ckpt
