// The bytes after the message of an entry: how many there are, and what they are made of.
#ifndef FORMATS_EXTRA_H_
#define FORMATS_EXTRA_H_

#include <google/protobuf/message.h>

#include <cstddef>
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
