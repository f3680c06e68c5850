// The messages of entries: their descriptors by name, and parsing that says what is wrong with a
// message instead of printing it.
#ifndef FORMATS_IMAGE_MESSAGE_H_
#define FORMATS_IMAGE_MESSAGE_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/image_type.h"

namespace ckpt {

// Of the message of entry `index` (from 0) of an image. Null where entries are not messages. The
// descriptor lives as long as the program.
const google::protobuf::Descriptor* FindEntryDescriptor(ImageType type, size_t index);

// Parses into `message`, which is cleared first. kBadFormat: the bytes are no such message, or
// required fields are missing, all of which are named. Unknown fields are kept by protobuf, but not
// their order: whoever writes the entry back takes the original bytes.
Result<> ParseMessage(Bytes bytes, google::protobuf::Message& message);

template <typename M>
Result<M> ParseMessageAs(Bytes bytes) {
  M message;
  CKPT_TRY(ParseMessage(bytes, message));
  return message;
}

// A message of the type that `descriptor` describes, parsed likewise.
Result<std::unique_ptr<google::protobuf::Message>> ParseMessageOf(
    const google::protobuf::Descriptor& descriptor, Bytes bytes);

// kInternal where required fields are missing.
Result<std::string> SerializeMessage(const google::protobuf::Message& message);

}  // namespace ckpt

#endif  // FORMATS_IMAGE_MESSAGE_H_
