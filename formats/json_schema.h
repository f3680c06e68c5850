// What JSON readers and writers must know of a message, built once from its descriptor: its fields
// by number, with crit's spelling of each, so that wire bytes become JSON and JSON becomes wire
// bytes without messages in between.
#ifndef FORMATS_JSON_SCHEMA_H_
#define FORMATS_JSON_SCHEMA_H_

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/spelling.h"
#include "formats/wire.h"

namespace ckpt {

enum class FieldKind : uint8_t {
  kInt32,
  kInt64,
  kUint32,
  kUint64,
  kSint32,
  kSint64,
  kFixed64,
  kBool,
  kEnum,
  kString,
  kBytes,
  kMessage,
};

// How a pretty writer spells the value; a plain one knows kNatural and kUnixName only.
enum class Spelling : uint8_t {
  kNatural,
  kHex,
  kFlags,
  kDictionary,
  kKernelDevice,
  kUserDevice,
  kIpAddress,  // of all values of the repeated field together
  kUnixName,
};

struct JsonMessageSchema;

struct JsonFieldSchema {
  uint32_t number = 0;
  FieldKind kind = FieldKind::kUint32;
  bool repeated = false;
  bool required = false;
  bool packed = false;   // how protobuf writes the values of a repeated one
  uint8_t index = 0;     // in the fields of the message
  uint8_t accepted = 0;  // a set of wire types, as bits
  Spelling spelling = Spelling::kNatural;
  std::string name;
  std::string key;  // as it stands before a value in JSON: "name":_
  std::string tag;  // as it stands before a value on the wire
  // Of kEnum, or of the spellings kFlags and kDictionary.
  std::vector<NamedValue> names;
  const JsonMessageSchema* message = nullptr;  // of kMessage

  // How one value stands on the wire outside a packed array.
  WireType wire_type() const;
  bool packable() const { return repeated && wire_type() != WireType::kLengthDelimited; }
  // Whether a field with this wire type is a value (or packed values) of this field.
  bool Accepts(WireType type) const { return (accepted >> static_cast<unsigned>(type) & 1) != 0; }
};

// Sets of fields of a message are bits by index.
inline constexpr size_t kMaxFields = 64;
// Tags of higher ones would have more than two bytes.
inline constexpr uint32_t kMaxFieldNumber = (1 << 11) - 1;

struct JsonMessageSchema {
  std::string name;
  std::vector<JsonFieldSchema> fields;   // by ascending number, at most kMaxFields
  uint64_t required = 0;                 // the set of its required fields
  std::vector<uint8_t> index_by_number;  // kNoField where there is none

  // Nothing for a number that the message does not have.
  const JsonFieldSchema* Find(uint64_t number) const {
    if (number >= index_by_number.size()) return nullptr;
    const uint8_t index = index_by_number[number];
    return index == kNoField ? nullptr : &fields[index];
  }

  static constexpr uint8_t kNoField = 255;
};

// The schemas of messages, made when first asked for; they live as long as this object. Not for
// several threads at once.
class JsonSchemas {
 public:
  // The descriptor must outlive this object, as those of generated messages do.
  const JsonMessageSchema& Get(const google::protobuf::Descriptor& message) {
    return Get(message, /*hex=*/false);
  }

 private:
  // A field option of hex on a message holds for all that is inside: `hex` says that it does here.
  const JsonMessageSchema& Get(const google::protobuf::Descriptor& message, bool hex);
  JsonFieldSchema MakeField(const google::protobuf::FieldDescriptor& field, bool hex);

  std::map<std::pair<const google::protobuf::Descriptor*, bool>, std::unique_ptr<JsonMessageSchema>>
      schemas_;
};

// The schema of a message, made once in the life of the program. For any thread.
const JsonMessageSchema& SharedSchema(const google::protobuf::Descriptor& message);

}  // namespace ckpt

#endif  // FORMATS_JSON_SCHEMA_H_
