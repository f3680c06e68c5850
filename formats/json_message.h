// One protobuf message as JSON, straight from its wire bytes.
#ifndef FORMATS_JSON_MESSAGE_H_
#define FORMATS_JSON_MESSAGE_H_

#include <cstdint>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/json_schema.h"
#include "formats/json_text.h"
#include "formats/message_scan.h"
#include "formats/wire.h"

namespace ckpt {

// Writes messages as crit does: fields in ascending number order whatever their order on the wire,
// only those that are there, enums by name (a value without a name as a number), bytes as base64,
// and in pretty style each field in its spelling. A singular field that occurs twice counts as
// protobuf counts it: the last value, or the occurrences of a message merged.
class JsonMessageWriter {
 public:
  JsonMessageWriter(JsonText& text, JsonStyle style) : text_(text), style_(style) {}

  // The fields of `message` into the object that the caller has begun and will end. A message that
  // breaks the wire encoding, or nests deeper than protobuf allows (100), is kBadFormat; the text
  // then ends inside the object.
  Result<> WriteFields(const JsonMessageSchema& schema, Bytes message);
  // The same where the caller has scanned it.
  Result<> WriteFields(const JsonMessageSchema& schema, Bytes message, const MessageScan& scan);

  // How many fields so far had a number or wire type that their message does not know: crit drops
  // them, and so do we, but we can tell.
  uint64_t unknown_fields() const { return unknown_fields_; }

 private:
  class OpenField;
  class Ordered;

  Result<> WriteCarefully(const JsonMessageSchema& schema, Bytes message);
  Result<> WriteMessage(const JsonMessageSchema& schema, Bytes message);
  // Checks the encoding and counts unknown fields. Whether the fields are in ascending order with
  // no singular one twice.
  Result<bool> Scan(const JsonMessageSchema& schema, Bytes message);
  Result<> WriteInWireOrder(const JsonMessageSchema& schema, Bytes message);
  Result<> WriteSorted(const JsonMessageSchema& schema, Bytes message);
  Result<> WriteValue(const JsonFieldSchema& field, const WireField& value);
  void WriteNumber(const JsonFieldSchema& field, uint64_t value);
  void WriteBytes(const JsonFieldSchema& field, Bytes bytes);
  // One or four words as an address, others as numbers.
  void WriteAddress(const std::vector<uint32_t>& words);

  JsonText& text_;
  JsonStyle style_;
  uint64_t unknown_fields_ = 0;
  int depth_ = 0;
};

}  // namespace ckpt

#endif  // FORMATS_JSON_MESSAGE_H_
