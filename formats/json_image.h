// A whole image as JSON, in the shape of `crit decode`.
#ifndef FORMATS_JSON_IMAGE_H_
#define FORMATS_JSON_IMAGE_H_

#include <cstdint>
#include <string>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/extra.h"
#include "formats/image_reader.h"
#include "formats/image_type.h"
#include "formats/json_message.h"
#include "formats/json_schema.h"
#include "formats/json_text.h"

namespace ckpt {

// Writes images entry by entry as they are read; memory does not grow with their number. Spellings
// are those of `style`, commas and indents those of `text`.
class JsonImageWriter {
 public:
  JsonImageWriter(JsonText& text, JsonStyle style) : text_(text), style_(style) {}

  // One value: {"magic": NAME, "entries": [{field: value, ..., "extra": payload}, ...]}. A damaged
  // image is still a whole JSON value: the entries before the damage, then "error" with the message
  // that is also returned. `name` is for errors. A raw type is described and not read:
  // see WriteRaw().
  Result<> Write(const std::string& name, ImageType type, Bytes bytes);

  // {"raw": true, "type": NAME, "size_bytes": N}.
  void WriteRaw(ImageType type, uint64_t size_bytes);

  // Of all images so far; see JsonMessageWriter.
  uint64_t unknown_fields() const { return unknown_fields_; }

 private:
  Result<> WriteEntries(const std::string& name, ImageType type, Bytes bytes);
  Result<> WriteEntry(ImageType type, const ImageEntry& entry);
  Result<> WriteMessage(const google::protobuf::Descriptor& descriptor, Bytes message);
  Result<> WriteExtra(ExtraKind kind, const ImageEntry& entry);
  Result<> WriteTcpQueues(const ImageEntry& entry);
  Result<> WriteSharedMemory(const ImageEntry& entry);
  Result<> WriteSemaphores(const ImageEntry& entry);
  Result<> WriteQueuedMessages(const ImageEntry& entry);
  Result<> WriteQueuedMessage(const QueuedMessage& queued);
  Result<> WriteGhost(const ImageEntry& entry);
  void WriteLegacyPage(const ImageEntry& entry);

  JsonText& text_;
  JsonStyle style_;
  JsonSchemas schemas_;
  uint64_t unknown_fields_ = 0;
};

}  // namespace ckpt

#endif  // FORMATS_JSON_IMAGE_H_
