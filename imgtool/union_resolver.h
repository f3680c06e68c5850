// What became of a branch's file in its union, as far as it can be read on this machine: in the
// branch directories, in the mounted union, or in a root file system that the user names.
#ifndef IMGTOOL_UNION_RESOLVER_H_
#define IMGTOOL_UNION_RESOLVER_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "imgtool/branch_map.h"
#include "imgtool/branch_match.h"
#include "imgtool/layer_stack.h"
#include "imgtool/union_files.h"
#include "imgtool/union_view.h"

namespace ckpt {

enum class FileFate {
  kUnverified,  // nothing of the union can be read
  kPresent,     // the union shows the file, or one of the same mode and content
  kShadowed,    // the union shows another file under its name
  kDeleted,     // the union shows none
};

struct ResolvedFile {
  FileFate fate = FileFate::kUnverified;
  std::string rest;  // the name in the union, from its root: "" or "/x/y"
  std::string why;   // of kShadowed and kDeleted, and of what is remarkable about kPresent
  // Of kDeleted: the beginning of `rest` below which the union takes no file, for it is no
  // directory or a name of AUFS itself. Empty where there is none.
  std::string obstacle;
  // Of the file that the union shows, and where its content can be read (empty: nowhere).
  std::optional<FileFacts> shown;
  std::string shown_path;
  // Of the branch's file.
  std::optional<FileFacts> of_branch;
  std::string branch_path;
};

// What is asked for: the file that lies at `raw` in a branch and is believed to have the name
// `rest` in the union and `name` in the mount namespace. The recorded size and mode stand in for
// the branch's file where that is gone.
struct FileQuestion {
  const MapUnion* mount = nullptr;
  BranchMatch raw;
  std::string rest;
  std::string name;
  std::optional<FileFacts> recorded;
};

class UnionResolver {
 public:
  // Branches are read where the map says (`at`), and else, if all of them are there, at their own
  // paths. kNotFound: a branch of a union with `at` is not there. The map must outlive the
  // resolver.
  static Result<UnionResolver> Open(const BranchMap& map, UnionView view);

  // Why nothing of the union can be read; nothing if it can.
  std::optional<std::string> WhyUnreadable(const MapUnion& mount) const;
  // How it is read, for the report: "below /mnt/root", "in its branches".
  std::string Where(const MapUnion& mount) const;

  // Errors are those of system calls. kNotFound: a root file system has no file of that name,
  // though nothing tells that it was deleted.
  Result<ResolvedFile> Resolve(const FileQuestion& question) const;

  // Whether the union shows a file under that name of the mount namespace; no where it cannot be
  // read.
  Result<bool> Shows(const MapUnion& mount, const std::string& name) const;

 private:
  explicit UnionResolver(UnionView view) : view_(std::move(view)) {}

  Result<ResolvedFile> ResolveInLayers(const LayerStack& layers,
                                       const FileQuestion& question) const;
  const LayerStack* FindLayers(const MapUnion& mount) const;

  UnionView view_;
  std::map<const MapUnion*, LayerStack> layers_;
};

// Whether both have the same mode and bytes. kNotFound where one cannot be opened.
Result<bool> SameContent(const BranchTree& one, const std::string& one_rest,
                         const BranchTree& other, const std::string& other_rest);

}  // namespace ckpt

#endif  // IMGTOOL_UNION_RESOLVER_H_
