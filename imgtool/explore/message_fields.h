// A message as a list of fields by path, each with its value as text: what can be compared and
// shown field by field. Pure.
#ifndef IMGTOOL_EXPLORE_MESSAGE_FIELDS_H_
#define IMGTOOL_EXPLORE_MESSAGE_FIELDS_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace ckpt {

struct FieldText {
  std::string path;  // "fown.uid", "tfd[2].events"
  std::string text;  // printable
};
using Fields = std::vector<FieldText>;

// What numbers mean that mean nothing by themselves.
class FieldMeaning {
 public:
  virtual ~FieldMeaning() = default;
  // Appends what stands for a field of `message`, which may be nothing, and says so; false: the
  // field speaks for itself.
  virtual bool Replace(const google::protobuf::Message& message,
                       const google::protobuf::FieldDescriptor& field, const std::string& path,
                       Fields& out) const = 0;
};

// Fields by ascending number, spelt as `show --pretty` spells them. An optional field that has its
// default value is left out: for readers it is as good as absent.
void AppendFields(const google::protobuf::Message& message, const std::string& prefix,
                  const FieldMeaning& meaning, Fields& out);

// Bytes as text: short ones as they are, long ones as their number and a hash.
std::string BytesText(std::string_view bytes);

// Of content that is compared but not shown.
uint64_t HashBytes(std::string_view bytes, uint64_t seed = 0);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_MESSAGE_FIELDS_H_
