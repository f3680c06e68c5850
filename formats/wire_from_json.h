// The wire bytes of a message from its JSON, in any spelling that decode, ours or crit's, has.
#ifndef FORMATS_WIRE_FROM_JSON_H_
#define FORMATS_WIRE_FROM_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/json_reader.h"
#include "formats/json_schema.h"
#include "formats/wire_buffer.h"

namespace ckpt {

// An object on its way to a message.
struct MessageBuild {
  const JsonMessageSchema& schema;
  size_t begin;       // of the message in the buffer
  uint64_t seen = 0;  // set of fields
  uint32_t last = 0;  // number of the last field
  bool ordered = true;
  bool closed = false;  // its bytes are needed now: no field may follow
};

// Keys of an object that are no fields of its message.
class ExtraKeys {
 public:
  virtual ~ExtraKeys() = default;
  // Reads the value of `key`; `known` becomes whether it has one here. False: reading failed.
  virtual bool Read(std::string_view key, MessageBuild& build, bool& known) = 0;
};

// Calls give false after an error, which the reader has, with its path. Fields are written by
// ascending number, numbers as short as they can be: as protobuf does.
class WireFromJson {
 public:
  WireFromJson(JsonReader& json, WireBuffer& wire) : json_(json), wire_(wire) {}

  // An object that begins next. Refused: unknown keys, keys that are there twice, values of the
  // wrong type or out of range, names that no enum has, and missing required fields.
  bool ReadMessage(const JsonMessageSchema& schema, ExtraKeys* extra_keys = nullptr);

  // Ends the message as it is now: checks that it has its required fields, and sorts them.
  bool FinishMessage(MessageBuild& build);

 private:
  const JsonFieldSchema* FindField(const JsonMessageSchema& schema, std::string_view key);
  const JsonFieldSchema* TakeField(const JsonMessageSchema& schema, bool first);
  bool ReadMember(std::string_view key, MessageBuild& build, ExtraKeys* extra_keys);
  bool ReadMember(const JsonFieldSchema& field, MessageBuild& build);
  bool ReadRepeated(const JsonFieldSchema& field);
  bool ReadElements(const JsonFieldSchema& field);
  bool ReadValue(const JsonFieldSchema& field, bool tagged);
  bool ReadNestedMessage(const JsonFieldSchema& field);
  bool ReadText(const JsonFieldSchema& field);
  bool ReadBase64(const JsonFieldSchema& field);
  bool ReadNumber(const JsonFieldSchema& field, uint64_t& wire);
  bool ReadSpeltNumber(const JsonFieldSchema& field, uint64_t& wire);
  bool ReadAddress(const JsonFieldSchema& field, bool& is_address);
  bool ToWire(const JsonFieldSchema& field, uint64_t magnitude, bool negative, uint64_t& wire);
  void AppendNumber(const JsonFieldSchema& field, uint64_t wire);
  void SortFields(const MessageBuild& build);
  void RenameOldPageCount(MessageBuild& build);

  JsonReader& json_;
  WireBuffer& wire_;
  size_t next_field_ = 0;  // a guess: the index after that of the last field
  int depth_ = 0;
};

}  // namespace ckpt

#endif  // FORMATS_WIRE_FROM_JSON_H_
