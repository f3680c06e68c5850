// All fields of a dump that mean something to a rewrite, found by walking the messages of its
// images with the table of field roles.
#ifndef IMGTOOL_ROLE_FIELDS_H_
#define IMGTOOL_ROLE_FIELDS_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "imgtool/edit_plan.h"
#include "imgtool/field_roles.h"
#include "imgtool/image_source.h"

namespace ckpt {

struct RoleField {
  EntryPlace place;
  std::string field;  // as an Edit names it
  const FieldRoleRow* row = nullptr;
  FieldValue value;     // bytes, a number, or of a repeated number all of them
  bool is_path = true;  // of a reg_file_entry: not a key of CRIU's (`ext`)
};

// In the order of images, entries and fields. Reads no pages. Fields that are absent are not there.
Result<std::vector<RoleField>> ReadRoleFields(const ImageSource& images);

// An edit of a field that was found.
Edit EditOf(const RoleField& field, FieldValue new_value, const char* pass, std::string evidence);

}  // namespace ckpt

#endif  // IMGTOOL_ROLE_FIELDS_H_
