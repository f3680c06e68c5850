// What an entry has beside its fields, from JSON: payloads, and the bytes that --lossless carries
// along.
#ifndef FORMATS_EXTRA_FROM_JSON_H_
#define FORMATS_EXTRA_FROM_JSON_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "formats/extra.h"
#include "formats/json_reader.h"
#include "formats/json_schema.h"

namespace ckpt {

// The message that encoding the JSON of `message` gives. Nothing where it is no message.
std::optional<std::string> CanonicalMessage(const JsonMessageSchema& schema, Bytes message);

// What an entry has beside its fields.
struct EntryExtras {
  std::optional<std::string> raw;
  std::optional<std::string> extra;    // as it stands in the image, without its padding
  std::optional<std::string> padding;  // odd one
  uint64_t in_queue_bytes = 0;         // of a TCP stream
  uint64_t count = 0;                  // of semaphores or messages
  bool streamed = false;               // the message and the extra have been given to the sink
  ExtraLayout layout;                  // of what was streamed
  uint64_t streamed_bytes = 0;
};

// Calls give false after an error, which the reader has, with its path.
class ExtraFromJson {
 public:
  explicit ExtraFromJson(JsonReader& json) : json_(json) {}

  // Of a string of base64 that was begun; nothing at its end. Valid until the next call.
  bool ReadPiece(Bytes& bytes);
  // A string of base64 as a whole.
  bool ReadBytes(std::optional<std::string>& bytes);

  // {"inq": base64, "outq": base64}
  bool ReadQueues(EntryExtras& extras);
  // [number, ...]
  bool ReadSemaphores(EntryExtras& extras);
  // [{message}, base64, ...]: in turn a message, its text and, where that is odd, an object with
  // its padding. What they give has lengths and padding.
  bool ReadMessages(EntryExtras& extras);

  // Fails where a key was there before.
  bool Once(bool there) { return !there || json_.Fail("a key that was there before"); }

 private:
  // Tells whether it was a message, whose text has to follow.
  bool ReadQueuedMessage(EntryExtras& extras, bool& is_message);
  bool ReadQueuedText(EntryExtras& extras);
  bool EndQueuedMessage(std::string_view padding, EntryExtras& extras);

  JsonReader& json_;
  uint64_t text_bytes_ = 0;  // of the last queued message
  std::vector<std::byte> piece_;
};

}  // namespace ckpt

#endif  // FORMATS_EXTRA_FROM_JSON_H_
