// A dump: a directory of images, and through its `parent` link the older dumps that it builds on.
#ifndef FORMATS_DUMP_DIRECTORY_H_
#define FORMATS_DUMP_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/image_file.h"
#include "formats/image_type.h"

namespace ckpt {

inline constexpr const char* kParentLink = "parent";

// Every layer costs an open file while pages are read.
inline constexpr size_t kMaxDumpLayers = 256;

struct DumpImage {
  ImageName image;
  std::string file_name;
};

class DumpDirectory {
 public:
  // Lists the directory; reads no image.
  static Result<DumpDirectory> Open(std::string path);

  const std::string& path() const { return path_; }
  // By file name, in the order of bytes.
  const std::vector<DumpImage>& images() const { return images_; }
  // What is not named as an image is: logs, the parent link, what others left.
  const std::vector<std::string>& other_files() const { return other_files_; }

  bool Has(ImageType type, uint64_t id = 0) const;
  std::string PathOf(ImageType type, uint64_t id = 0) const;

  // kNotFound where there is no such image.
  Result<ImageFile> Read(ImageType type, uint64_t id = 0) const;
  // Nothing where there is none, as CRIU takes a missing image for an empty one.
  Result<std::optional<ImageFile>> ReadIfPresent(ImageType type, uint64_t id = 0) const;

  template <typename M>
  Result<M> ReadSingle(ImageType type, uint64_t id = 0) const {
    CKPT_TRY(ImageFile image, Read(type, id));
    return ParseSingleEntry<M>(image);
  }

  template <typename M>
  Result<std::vector<M>> ReadAllIfPresent(ImageType type, uint64_t id = 0) const {
    CKPT_TRY(auto image, ReadIfPresent(type, id));
    if (!image) return std::vector<M>();
    return ParseEntries<M>(*image);
  }

  // Where the parent link leads, nothing without one. kUnsupported where it is not relative: such a
  // dump means something else on every machine that it is copied to.
  Result<std::optional<std::string>> FindParent() const;

 private:
  explicit DumpDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::vector<DumpImage> images_;
  std::vector<std::string> other_files_;
};

// The dump at `path` and those behind it, youngest first. kBadFormat where links lead in a circle,
// kUnsupported beyond kMaxDumpLayers, kNotFound where a link leads nowhere.
Result<std::vector<DumpDirectory>> OpenDumpChain(const std::string& path);

}  // namespace ckpt

#endif  // FORMATS_DUMP_DIRECTORY_H_
