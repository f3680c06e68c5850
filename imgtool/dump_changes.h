// What becomes of the files of a dump by a plan: the bytes of those that are edited, those that
// are new, and those that get another name.
#ifndef IMGTOOL_DUMP_CHANGES_H_
#define IMGTOOL_DUMP_CHANGES_H_

#include <map>
#include <set>
#include <string>

#include "base/result.h"
#include "imgtool/edit_plan.h"
#include "imgtool/image_source.h"

namespace ckpt {

struct DumpChanges {
  std::map<std::string, FileContent> edited;     // of files that are there, by their old name
  std::map<std::string, FileContent> new_files;  // of files that are not
  std::map<std::string, std::string> renames;    // from old name to new
  std::set<std::string> removed;                 // files or links that go; in directories only

  // What a file of the dump is to be called.
  const std::string& NameOf(const std::string& old_name) const;
};

// Reads the images that the plan edits. kUnsupported: a new file or name that is taken, or a file
// that is not there to be edited, replaced or renamed. kInternal: as of EditImage.
Result<DumpChanges> ChangesOf(const EditPlan& plan, const ImageSource& images);

}  // namespace ckpt

#endif  // IMGTOOL_DUMP_CHANGES_H_
