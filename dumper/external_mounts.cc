#include "dumper/external_mounts.h"

namespace ckpt {

namespace {

constexpr std::string_view kMountPrefix = "mnt[";

Result<> AddKey(std::string_view mountpoint, std::string_view key, ExternalMounts& mounts) {
  const auto [place, added] = mounts.keys.try_emplace(std::string(mountpoint), key);
  if (added || place->second == key) return success();
  return MakeError(ErrorCode::kUsage, "the mount at {} has two keys, {} and {}", mountpoint,
                   place->second, key);
}

bool IsMountpoint(std::string_view text) { return text.starts_with('/'); }

}  // namespace

Result<> AddExtMountMap(std::string_view text, ExternalMounts& mounts) {
  if (text == "auto") {
    mounts.automatic = true;
    return success();
  }
  const size_t colon = text.find(':');
  if (colon != text.npos && colon + 1 < text.size() && IsMountpoint(text)) {
    return AddKey(text.substr(0, colon), text.substr(colon + 1), mounts);
  }
  return MakeError(ErrorCode::kUsage, "--ext-mount-map {}: expected MOUNTPOINT:KEY or auto", text);
}

Result<> AddExternal(std::string_view text, ExternalMounts& mounts) {
  const size_t end = text.find(']');
  if (!text.starts_with(kMountPrefix) || end == text.npos) {
    return MakeError(ErrorCode::kUsage, "--external {}: only mnt[MOUNTPOINT]:KEY is supported yet",
                     text);
  }
  const std::string_view mountpoint = text.substr(kMountPrefix.size(), end - kMountPrefix.size());
  const std::string_view key = text.substr(end + 1);
  if (mountpoint.empty()) {
    mounts.automatic = true;
    return success();
  }
  if (IsMountpoint(mountpoint) && key.starts_with(':') && key.size() > 1) {
    return AddKey(mountpoint, key.substr(1), mounts);
  }
  return MakeError(ErrorCode::kUsage, "--external {}: expected mnt[MOUNTPOINT]:KEY", text);
}

}  // namespace ckpt
