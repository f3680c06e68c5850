// Where the unions of a map can be read on this machine, if anywhere.
#ifndef IMGTOOL_UNION_VIEW_H_
#define IMGTOOL_UNION_VIEW_H_

#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "imgtool/branch_map.h"
#include "imgtool/union_files.h"

namespace ckpt {

class UnionView {
 public:
  // Every union is to be seen below `root`, a directory that is the tasks' "/".
  static Result<UnionView> AtRoot(const std::string& root);
  // A union is to be seen where it is mounted at its mountpoint on this machine. One that is
  // mounted at "/" is so only if the dump's paths are this machine's own
  // (`paths_are_of_this_namespace`).
  static Result<UnionView> AtMountpoints(bool paths_are_of_this_namespace);

  // Why the union cannot be read here; nothing if it can.
  std::optional<std::string> WhyUnreadable(const MapUnion& mount) const;

  // A file by its name in the dump. Only for a union that can be read.
  Result<std::optional<FileFacts>> Find(const std::string& path) const { return files_.Find(path); }

  const std::string& root() const { return root_; }

 private:
  UnionView(std::string root, UnionFiles files, bool trusts_root, bool sees_slash)
      : root_(std::move(root)),
        files_(std::move(files)),
        trusts_root_(trusts_root),
        sees_slash_(sees_slash) {}

  std::string root_;
  UnionFiles files_;
  bool trusts_root_;  // the user said that the unions are there
  bool sees_slash_;
};

}  // namespace ckpt

#endif  // IMGTOOL_UNION_VIEW_H_
