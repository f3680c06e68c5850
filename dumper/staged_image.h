// Images among the files of a dump that appear together.
#ifndef DUMPER_STAGED_IMAGE_H_
#define DUMPER_STAGED_IMAGE_H_

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "base/staged_file_set.h"
#include "formats/image_type.h"
#include "formats/image_writer.h"

namespace ckpt {

inline constexpr mode_t kStagedImageMode = 0644;

template <typename Message>
Result<> StageImage(StagedFileSet& files, ImageType type, uint64_t id,
                    const std::vector<Message>& messages) {
  ImageEncoder image(type);
  for (const Message& message : messages) CKPT_TRY(image.Append(message));
  return files.Add(ImageFileName(type, id), AsBytes(image.bytes()), kStagedImageMode);
}

template <typename Message>
Result<> StageImage(StagedFileSet& files, ImageType type, uint64_t id, const Message& message) {
  ImageEncoder image(type);
  CKPT_TRY(image.Append(message));
  return files.Add(ImageFileName(type, id), AsBytes(image.bytes()), kStagedImageMode);
}

}  // namespace ckpt

#endif  // DUMPER_STAGED_IMAGE_H_
