// The bytes after the message of an entry: how many there are, and what they are made of.
#ifndef FORMATS_EXTRA_H_
#define FORMATS_EXTRA_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/image_type.h"

namespace ckpt {

// How many bytes of `rest`, all that follows `message` in its file, are its extra. `message` is
// parsed and of the type that entries of an image with this kind of extra have. kBadFormat: `rest`
// is too short.
//   kPipeData      bytes                        kPacket     length
//   kTcpQueues     inq_len, then outq_len       kBpfMap     keys_bytes, then values_bytes
//   kSharedMemory  size, padded to 4; none with in_pagemaps
//   kSemaphores    2 for each of nsems, together padded to 8
//   kMessages      qnum times a length, an ipc_msg and its msize bytes, padded to 8
//   kGhost         of ghost_file_entry all of `rest`, none with chunks; of ghost_chunk_entry len
Result<size_t> ReadExtraSize(ExtraKind kind, const google::protobuf::Message& message, Bytes rest);

// The same for readers that have not seen what follows the message, and for writers.
struct ExtraLayout {
  uint64_t size_bytes = 0;     // without padding
  uint64_t padding_bytes = 0;  // zeros that make it whole
  bool to_end = false;         // all that follows in the file is the extra
  uint32_t messages = 0;       // of a queue: what each takes is written in front of it
};
ExtraLayout LayoutOfExtra(ExtraKind kind, const google::protobuf::Message& message);

// Of the text of a message of a System V queue.
inline constexpr uint64_t kQueuedTextPadding = 8;
// What a queued message has at least: its length and two required fields.
inline constexpr size_t kMinQueuedMessageBytes = 8;

// How many bytes make `size_bytes` a multiple of `unit`, a power of two.
constexpr uint64_t PaddingTo(uint64_t unit, uint64_t size_bytes) {
  return -size_bytes & (unit - 1);
}

// One message of a System V queue in the extra of kMessages.
struct QueuedMessage {
  Bytes message;  // an ipc_msg
  Bytes text;     // without its padding
};

// The messages at the start of `rest`.
struct QueuedMessages {
  std::vector<QueuedMessage> messages;
  size_t size_bytes = 0;
};
Result<QueuedMessages> ReadQueuedMessages(uint32_t count, Bytes rest);

}  // namespace ckpt

#endif  // FORMATS_EXTRA_H_
