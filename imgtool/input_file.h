// The files of a dump, or one image, by what they are.
#ifndef IMGTOOL_INPUT_FILE_H_
#define IMGTOOL_INPUT_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/image_type.h"
#include "imgtool/dump_input.h"

namespace ckpt {

enum class InputKind {
  kImage,    // entries, of `type`
  kRaw,      // an image of `type` that is the bytes of another format
  kLink,     // a symbolic link in a dump directory (`parent`), which is not followed
  kUnknown,  // anything else that lies in a dump directory
};

struct InputFile {
  std::string path;
  std::string shown_path;  // for messages: of what was unpacked from an archive, the path in that
  std::string name;        // without the directory
  InputKind kind = InputKind::kUnknown;
  ImageType type = ImageType::kInventory;  // of kImage and kRaw
  uint64_t size_bytes = 0;
  std::string link_target;  // of kLink
};

struct Input {
  bool is_directory = false;
  std::vector<InputFile> files;  // sorted by name; one where the input is no directory
};

// A file in a dump is what its name says. A file named by itself whose name is none of an image is
// the image that its magic says. kBadFormat: neither name nor magic is that of an image. The paths
// are good as long as the input is.
Result<Input> ListInput(const DumpInput& opened);

}  // namespace ckpt

#endif  // IMGTOOL_INPUT_FILE_H_
