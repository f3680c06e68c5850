#include "imgtool/union_view.h"

#include <fmt/format.h>

#include "imgtool/octal_text.h"

namespace ckpt {

Result<UnionView> UnionView::AtRoot(const std::string& root) {
  CKPT_TRY(UnionFiles files, UnionFiles::Open(root));
  return UnionView(root, std::move(files), true, true);
}

Result<UnionView> UnionView::AtMountpoints(bool paths_are_of_this_namespace) {
  CKPT_TRY(UnionFiles files, UnionFiles::Open("/"));
  return UnionView("/", std::move(files), false, paths_are_of_this_namespace);
}

std::optional<std::string> UnionView::WhyUnreadable(const MapUnion& mount) const {
  if (trusts_root_) return std::nullopt;
  if (mount.mountpoint == "/" && !sees_slash_) {
    return "its mountpoint is the root of a namespace that is not this one (say where it is "
           "mounted with --root)";
  }
  if (!IsUnionMountpoint(mount.mountpoint)) {
    return fmt::format("no union is mounted at {} here", EscapeOctal(mount.mountpoint));
  }
  return std::nullopt;
}

}  // namespace ckpt
