#include "imgtool/explore/dump_reader.h"

namespace ckpt {

std::optional<ImageFile> DumpReader::Image(ImageType type, uint64_t id) {
  if (!Has(type, id)) return std::nullopt;
  return Kept(dump_.Read(type, id), type, id);
}

void DumpReader::Report(Error error, const std::string& image) {
  if (!image.empty() && !reported_.insert(image).second) return;
  // An archive is read at a temporary place that means nothing to the user.
  if (error.message.starts_with(dump_.path())) {
    error.message.replace(0, dump_.path().size(), name_);
  }
  failures_.Report(error);
}

}  // namespace ckpt
