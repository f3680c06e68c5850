// What a command that only reads has on its command line for a dump: a dump directory; an archive
// with one in it, told by its bytes and laid open as a directory; `-`, the standard input, for an
// archive; and for verbs that take one image, that image, from a file or the standard input.
#ifndef IMGTOOL_DUMP_INPUT_H_
#define IMGTOOL_DUMP_INPUT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/dump_directory.h"
#include "imgtool/archive_input.h"
#include "imgtool/command.h"
#include "imgtool/input_source.h"
#include "imgtool/temporary_directory.h"

namespace ckpt {

bool NeedsAllFiles(std::string_view file_name);
// All images but those that are the bytes of another format: pages, tar archives, netlink messages.
bool NeedsImagesWithEntries(std::string_view file_name);

// Whether a verb takes one image in place of a dump.
enum class OneImage { kRefused, kAccepted };

inline constexpr std::string_view kStandardInput = "-";

class DumpInput {
 public:
  // The invocation has AddInputOptions(). kNotFound: there is nothing of that name; kBadFormat: it
  // is no dump; kUnsupported: an archive with what it may not have, or too much of it.
  static Result<DumpInput> Open(const std::string& operand, const Invocation& invocation,
                                FileNeed need, OneImage one_image = OneImage::kRefused);

  // What messages call it: the operand, or "standard input".
  const std::string& name() const { return name_; }
  // The directory with the images, until this object goes; of one image that file. In messages
  // ShownPath() of what is below it is to be seen; ShownText() makes it of text, and what imgtool
  // prints on standard error has passed through that.
  const std::string& path() const { return path_; }
  std::string ShownPath() const { return ShownText(path_); }
  bool is_image() const { return is_image_; }

  // The dump and its parents, youngest first. Not for one image.
  Result<std::vector<DumpDirectory>> OpenChain() const { return OpenDumpChain(path_); }

 private:
  explicit DumpInput(std::string name) : path_(name), name_(std::move(name)) {}

  Result<> TakeFile(InputSource& source, const Invocation& invocation, FileNeed need,
                    OneImage one_image);
  Result<> TakeImage(InputSource& source, uint64_t max_bytes);

  std::string path_;
  std::string name_;
  bool is_image_ = false;
  std::optional<TemporaryDirectory> unpacked_;
};

// The options of all verbs that open a DumpInput: limits on archives. --max-images is not among
// them, as what is unpacked goes to the disk.
void AddInputOptions(boost::program_options::options_description& options);

}  // namespace ckpt

#endif  // IMGTOOL_DUMP_INPUT_H_
