// What a union of branches shows under a name, worked out from the branch directories themselves:
// the topmost file wins, directories are merged, whiteouts and opaque marks hide what lies below.
// Rules of AUFS: au_do_lookup and au_lkup_dentry in fs/aufs; of overlayfs:
// Documentation/filesystems/overlayfs.rst and fs/overlayfs/namei.c.
#ifndef IMGTOOL_LAYER_STACK_H_
#define IMGTOOL_LAYER_STACK_H_

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "imgtool/branch_map.h"
#include "imgtool/branch_tree.h"

namespace ckpt {

struct LayerFile {
  bool found = false;
  size_t branch = 0;  // of the file that wins
  std::string rest;   // its name there, which a redirect can make another than in the union
  struct stat status {};
  std::string absence = {};  // where nothing was found: why
  // Likewise: the beginning of the name that is no directory; empty where the rest could be made.
  std::string obstacle = {};
};

class LayerStack {
 public:
  // Opens each branch where its content is said to be (`access_path`), else at its own path.
  // kNotFound where one of them is not there: a union with a layer missing shows other files.
  static Result<LayerStack> Open(const MapUnion& mount);

  // `rest` is "" for the root of the union, else "/x/y".
  Result<LayerFile> Find(const std::string& rest) const;

  const BranchTree& tree(size_t branch) const { return layers_[branch].tree; }

 private:
  struct Layer {
    BranchTree tree;
    bool honours_aufs_marks;
    bool honours_overlay_marks;
  };
  // A directory of a branch that is part of a directory of the union.
  struct Part {
    size_t branch;
    std::string rest;
  };
  struct Step;

  LayerStack() = default;

  Result<bool> IsWhitedOut(const Part& part, const std::string& name) const;
  Result<bool> IsOpaque(const Part& part) const;
  Result<Step> Enter(const std::vector<Part>& parts, std::string name) const;
  Result<bool> EnterPart(const Part& part, std::string& name, Step& step) const;
  void FollowRedirect(const Part& directory, std::string& name) const;

  std::vector<Layer> layers_;
};

}  // namespace ckpt

#endif  // IMGTOOL_LAYER_STACK_H_
