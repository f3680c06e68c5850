// Members of JSON objects that other programs print, which may be there or not.
#ifndef IMGTOOL_JSON_MEMBER_H_
#define IMGTOOL_JSON_MEMBER_H_

#include <rapidjson/document.h>

#include <string>

namespace ckpt {

// Empty where the object has no string of that name.
inline std::string StringMember(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

}  // namespace ckpt

#endif  // IMGTOOL_JSON_MEMBER_H_
