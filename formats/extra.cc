#include "formats/extra.h"

#include <limits>
#include <optional>

#include "formats/image_message.h"
#include "formats/proto/bpf.pb.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/sockets.pb.h"
#include "formats/proto/sockets_inet.pb.h"

namespace ckpt {
namespace {

using google::protobuf::Message;

constexpr uint64_t kSemaphorePadding = 8;
constexpr uint64_t kSharedMemoryPadding = 4;

template <typename M>
const M& As(const Message& message) {
  CKPT_CHECK(message.GetDescriptor() == M::descriptor());
  return static_cast<const M&>(message);
}

// Saturates, so that what cannot be padded fits nowhere.
uint64_t PaddedTo(uint64_t unit, uint64_t size_bytes) {
  uint64_t last = unit - 1;
  if (size_bytes > std::numeric_limits<uint64_t>::max() - last) {
    return std::numeric_limits<uint64_t>::max();
  }
  return (size_bytes + last) & ~last;
}

Result<size_t> Fit(uint64_t size_bytes, Bytes rest) {
  if (size_bytes <= rest.size()) return static_cast<size_t>(size_bytes);
  return MakeError(ErrorCode::kBadFormat,
                   "extra of {} bytes runs {} bytes past the end of the file", size_bytes,
                   size_bytes - rest.size());
}

uint64_t SharedMemorySize(const pb::ipc_shm_entry& segment) {
  return segment.in_pagemaps() ? 0 : PaddedTo(kSharedMemoryPadding, segment.size());
}

uint64_t GhostSize(const Message& message, Bytes rest) {
  if (message.GetDescriptor() == pb::ghost_chunk_entry::descriptor()) {
    return As<pb::ghost_chunk_entry>(message).len();
  }
  return As<pb::ghost_file_entry>(message).chunks() ? 0 : rest.size();
}

uint64_t TcpQueuesSize(const pb::tcp_stream_entry& stream) {
  return uint64_t{stream.inq_len()} + stream.outq_len();
}

uint64_t BpfMapSize(const pb::bpfmap_data_entry& map) {
  return uint64_t{map.keys_bytes()} + map.values_bytes();
}

Result<QueuedMessage> ReadQueuedMessage(ByteReader& reader) {
  auto length = reader.ReadU32();
  std::optional<Bytes> bytes;
  if (length) bytes = reader.ReadBytes(*length);
  if (!bytes) return MakeError(ErrorCode::kBadFormat, "its ipc_msg is cut short");
  CKPT_TRY(auto message, ParseMessageAs<pb::ipc_msg>(*bytes));
  auto text = reader.ReadBytes(PaddedTo(kQueuedTextPadding, message.msize()));
  if (!text) {
    return MakeError(ErrorCode::kBadFormat, "msize {} with {} bytes left", message.msize(),
                     reader.remaining());
  }
  return QueuedMessage{*bytes, text->first(message.msize())};
}

}  // namespace

Result<size_t> ReadExtraSize(ExtraKind kind, const Message& message, Bytes rest) {
  switch (kind) {
    case ExtraKind::kNone:
      return size_t{0};
    case ExtraKind::kPipeData:
      return Fit(As<pb::pipe_data_entry>(message).bytes(), rest);
    case ExtraKind::kPacket:
      return Fit(As<pb::sk_packet_entry>(message).length(), rest);
    case ExtraKind::kTcpQueues:
      return Fit(TcpQueuesSize(As<pb::tcp_stream_entry>(message)), rest);
    case ExtraKind::kBpfMap:
      return Fit(BpfMapSize(As<pb::bpfmap_data_entry>(message)), rest);
    case ExtraKind::kSharedMemory:
      return Fit(SharedMemorySize(As<pb::ipc_shm_entry>(message)), rest);
    case ExtraKind::kSemaphores:
      return Fit(PaddedTo(kSemaphorePadding, 2 * uint64_t{As<pb::ipc_sem_entry>(message).nsems()}),
                 rest);
    case ExtraKind::kGhost:
      return Fit(GhostSize(message, rest), rest);
    case ExtraKind::kMessages: {
      CKPT_TRY(auto queue, ReadQueuedMessages(As<pb::ipc_msg_entry>(message).qnum(), rest));
      return queue.size_bytes;
    }
  }
  return MakeError(ErrorCode::kInternal, "extra of kind {}", static_cast<int>(kind));
}

ExtraLayout LayoutOfExtra(ExtraKind kind, const Message& message) {
  switch (kind) {
    case ExtraKind::kNone:
      return {};
    case ExtraKind::kPipeData:
      return {.size_bytes = As<pb::pipe_data_entry>(message).bytes()};
    case ExtraKind::kPacket:
      return {.size_bytes = As<pb::sk_packet_entry>(message).length()};
    case ExtraKind::kTcpQueues:
      return {.size_bytes = TcpQueuesSize(As<pb::tcp_stream_entry>(message))};
    case ExtraKind::kBpfMap:
      return {.size_bytes = BpfMapSize(As<pb::bpfmap_data_entry>(message))};
    case ExtraKind::kSharedMemory: {
      const auto& segment = As<pb::ipc_shm_entry>(message);
      const uint64_t size_bytes = segment.in_pagemaps() ? 0 : segment.size();
      return {.size_bytes = size_bytes,
              .padding_bytes = PaddingTo(kSharedMemoryPadding, size_bytes)};
    }
    case ExtraKind::kSemaphores: {
      const uint64_t size_bytes = 2 * uint64_t{As<pb::ipc_sem_entry>(message).nsems()};
      return {.size_bytes = size_bytes, .padding_bytes = PaddingTo(kSemaphorePadding, size_bytes)};
    }
    case ExtraKind::kMessages:
      return {.messages = As<pb::ipc_msg_entry>(message).qnum()};
    case ExtraKind::kGhost:
      if (message.GetDescriptor() == pb::ghost_chunk_entry::descriptor()) {
        return {.size_bytes = As<pb::ghost_chunk_entry>(message).len()};
      }
      return {.to_end = !As<pb::ghost_file_entry>(message).chunks()};
  }
  return {};
}

Result<QueuedMessages> ReadQueuedMessages(uint32_t count, Bytes rest) {
  if (count > rest.size() / kMinQueuedMessageBytes) {
    return MakeError(ErrorCode::kBadFormat, "qnum {} does not fit into the {} bytes left", count,
                     rest.size());
  }
  ByteReader reader(rest);
  QueuedMessages queue;
  for (uint32_t i = 0; i < count; ++i) {
    size_t offset = reader.offset();
    auto message = ReadQueuedMessage(reader);
    if (message.has_error()) {
      return std::move(message).error().In(
          fmt::format("message {} of {} at byte {} of the extra", i, count, offset));
    }
    queue.messages.push_back(message.value());
  }
  queue.size_bytes = reader.offset();
  return queue;
}

}  // namespace ckpt
