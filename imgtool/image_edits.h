// Applies the edits of a plan to the bytes of an image.
#ifndef IMGTOOL_IMAGE_EDITS_H_
#define IMGTOOL_IMAGE_EDITS_H_

#include <google/protobuf/descriptor.h>

#include <span>
#include <string>

#include "base/result.h"
#include "formats/image_file.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

// Whether the bytes behind messages stay or become zeros, as many; of queued messages their text.
enum class ExtraChange { kKeep, kErase };

// The image with `edits`, all of which are of this image, made. Entries without edits, and fields
// without edits in entries that have some, keep their bytes and their order; extras too. The result
// is read again before it is returned. kInternal: an edit of an entry or a field that there is not,
// or of a kind of value that the field cannot have. `new_entries` follow those that there are.
// `moves` come after the edits, and name things as they were before any of them.
Result<std::string> EditImage(const ImageFile& image, std::span<const Edit* const> edits,
                              std::span<const NewEntry* const> new_entries = {},
                              ExtraChange extras = ExtraChange::kKeep,
                              std::span<const Move* const> moves = {});

// The field that an edit is of. kInternal where there is none.
Result<const google::protobuf::FieldDescriptor*> FieldOfEdit(const Edit& edit);

// An image of its own, of the type that `name` says, likewise read again.
Result<std::string> NewImage(const std::string& name, std::span<const NewEntry* const> entries);

}  // namespace ckpt

#endif  // IMGTOOL_IMAGE_EDITS_H_
