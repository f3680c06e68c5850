// Applies the edits of a plan to the bytes of an image.
#ifndef IMGTOOL_IMAGE_EDITS_H_
#define IMGTOOL_IMAGE_EDITS_H_

#include <span>
#include <string>

#include "base/result.h"
#include "formats/image_file.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

// The image with `edits`, all of which are of this image, made. Entries without edits, and fields
// without edits in entries that have some, keep their bytes and their order; extras too. The result
// is read again before it is returned. kInternal: an edit of an entry or a field that there is not,
// or of a kind of value that the field cannot have.
Result<std::string> EditImage(const ImageFile& image, std::span<const Edit* const> edits);

}  // namespace ckpt

#endif  // IMGTOOL_IMAGE_EDITS_H_
