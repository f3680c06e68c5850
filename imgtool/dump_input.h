// A DUMP on the command line of a verb that only reads: a dump directory, or an archive with one in
// it, laid open as a directory.
#ifndef IMGTOOL_DUMP_INPUT_H_
#define IMGTOOL_DUMP_INPUT_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/dump_directory.h"
#include "imgtool/archive_limits.h"
#include "imgtool/command.h"

namespace ckpt {

// Whether a verb reads that file of a dump. Of an archive only such files are unpacked.
using FileNeed = bool (*)(std::string_view file_name);

bool NeedsAllFiles(std::string_view file_name);
// All images but those that are the bytes of another format: pages, tar archives, netlink messages.
bool NeedsImagesWithEntries(std::string_view file_name);

class DumpInput {
 public:
  // kNotFound: there is nothing of that name; kBadFormat: it is no dump.
  static Result<DumpInput> Open(const std::string& operand, const Invocation& invocation,
                                FileNeed need);

  // What messages call it: the operand.
  const std::string& name() const { return name_; }
  // The directory with the images, until this object goes.
  const std::string& path() const { return path_; }
  // The dump and its parents, youngest first.
  Result<std::vector<DumpDirectory>> OpenChain() const { return OpenDumpChain(path_); }

 private:
  DumpInput(std::string name, std::string path) : name_(std::move(name)), path_(std::move(path)) {}

  std::string name_;
  std::string path_;
};

// The options of all verbs that open a DumpInput: limits on archives.
void AddInputOptions(boost::program_options::options_description& options);

}  // namespace ckpt

#endif  // IMGTOOL_DUMP_INPUT_H_
