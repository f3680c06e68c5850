#include "formats/json_image.h"

#include <google/protobuf/descriptor.h>

#include <utility>

#include "formats/extra.h"
#include "formats/image_message.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/sockets_inet.pb.h"

namespace ckpt {

Result<> JsonImageWriter::Write(const std::string& name, ImageType type, Bytes bytes) {
  if (GetImageType(type).framing == ImageFraming::kRaw) {
    WriteRaw(type, bytes.size());
    return success();
  }
  text_.BeginObject();
  const size_t depth = text_.depth();
  text_.Key("magic");
  text_.Name(GetImageType(type).magic_name);
  text_.Key("entries");
  text_.BeginArray();
  Result<> done = WriteEntries(name, type, bytes);
  text_.CloseTo(depth);
  if (!done) {
    text_.Key("error");
    text_.String(done.error().message);
  }
  text_.EndObject();
  return done;
}

void JsonImageWriter::WriteRaw(ImageType type, uint64_t size_bytes) {
  text_.BeginObject();
  text_.Key("raw");
  text_.Bool(true);
  text_.Key("type");
  text_.Name(GetImageType(type).name);
  text_.Key("size_bytes");
  text_.Number(size_bytes);
  text_.EndObject();
}

Result<> JsonImageWriter::WriteEntries(const std::string& name, ImageType type, Bytes bytes) {
  CKPT_TRY(ImageReader reader, ImageReader::Open(name, type, bytes));
  while (!text_.stopped()) {
    CKPT_TRY(const std::optional<ImageEntry> entry, reader.Next());
    if (!entry) break;
    Result<> done = WriteEntry(type, *entry);
    if (!done) {
      return std::move(done).error().In(
          fmt::format("{}: entry {} at offset {}", name, entry->index, entry->offset));
    }
  }
  return success();
}

Result<> JsonImageWriter::WriteEntry(ImageType type, const ImageEntry& entry) {
  const ImageTypeInfo& info = GetImageType(type);
  text_.BeginObject();
  if (info.framing == ImageFraming::kLegacyPages) {
    WriteLegacyPage(entry);
  } else {
    CKPT_TRY(WriteMessage(*FindEntryDescriptor(type, entry.index), entry.message));
    CKPT_TRY(WriteExtra(info.extra, entry));
  }
  text_.EndObject();
  return success();
}

Result<> JsonImageWriter::WriteMessage(const google::protobuf::Descriptor& descriptor,
                                       Bytes message) {
  JsonMessageWriter writer(text_, style_);
  Result<> done = writer.WriteFields(schemas_.Get(descriptor), message);
  unknown_fields_ += writer.unknown_fields();
  return done;
}

Result<> JsonImageWriter::WriteExtra(ExtraKind kind, const ImageEntry& entry) {
  switch (kind) {
    case ExtraKind::kNone:
      return success();
    case ExtraKind::kPipeData:
    case ExtraKind::kPacket:
    case ExtraKind::kBpfMap:
      text_.Key("extra");
      text_.Base64(entry.extra);
      return success();
    case ExtraKind::kTcpQueues:
      return WriteTcpQueues(entry);
    case ExtraKind::kSharedMemory:
      return WriteSharedMemory(entry);
    case ExtraKind::kMessages:
      return WriteQueuedMessages(entry);
    case ExtraKind::kSemaphores:
      return WriteSemaphores(entry);
    case ExtraKind::kGhost:
      return WriteGhost(entry);
  }
  return MakeError(ErrorCode::kInternal, "extra of kind {}", static_cast<int>(kind));
}

Result<> JsonImageWriter::WriteTcpQueues(const ImageEntry& entry) {
  CKPT_TRY(const auto stream, ParseMessageAs<pb::tcp_stream_entry>(entry.message));
  text_.Key("extra");
  text_.BeginObject();
  text_.Key("inq");
  text_.Base64(entry.extra.first(stream.inq_len()));
  text_.Key("outq");
  text_.Base64(entry.extra.subspan(stream.inq_len()));
  text_.EndObject();
  return success();
}

Result<> JsonImageWriter::WriteSharedMemory(const ImageEntry& entry) {
  CKPT_TRY(const auto segment, ParseMessageAs<pb::ipc_shm_entry>(entry.message));
  if (segment.in_pagemaps()) return success();
  text_.Key("extra");
  text_.Base64(entry.extra.first(segment.size()));
  return success();
}

Result<> JsonImageWriter::WriteSemaphores(const ImageEntry& entry) {
  CKPT_TRY(const auto set, ParseMessageAs<pb::ipc_sem_entry>(entry.message));
  text_.Key("extra");
  text_.BeginArray();
  for (size_t i = 0; i < set.nsems(); ++i) {
    const auto low = std::to_integer<uint32_t>(entry.extra[2 * i]);
    const auto high = std::to_integer<uint32_t>(entry.extra[2 * i + 1]);
    text_.Number(low | high << 8);
  }
  text_.EndArray();
  return success();
}

Result<> JsonImageWriter::WriteQueuedMessages(const ImageEntry& entry) {
  CKPT_TRY(const auto queue, ParseMessageAs<pb::ipc_msg_entry>(entry.message));
  CKPT_TRY(const auto queued, ReadQueuedMessages(queue.qnum(), entry.extra));
  text_.Key("extra");
  text_.BeginArray();
  for (const QueuedMessage& message : queued.messages) CKPT_TRY(WriteQueuedMessage(message));
  text_.EndArray();
  return success();
}

Result<> JsonImageWriter::WriteQueuedMessage(const QueuedMessage& queued) {
  text_.BeginObject();
  CKPT_TRY(WriteMessage(*pb::ipc_msg::descriptor(), queued.message));
  text_.EndObject();
  text_.Base64(queued.text);
  return success();
}

Result<> JsonImageWriter::WriteGhost(const ImageEntry& entry) {
  if (entry.index == 0) {
    CKPT_TRY(const auto ghost, ParseMessageAs<pb::ghost_file_entry>(entry.message));
    if (ghost.chunks()) return success();
  }
  text_.Key("extra");
  text_.Base64(entry.extra);
  return success();
}

void JsonImageWriter::WriteLegacyPage(const ImageEntry& entry) {
  const uint64_t address = *ByteReader(entry.message).ReadU64();
  text_.Key("vaddr");
  if (style_ == JsonStyle::kPretty) {
    text_.Name(SpellHex(address));
  } else {
    text_.Number(address);
  }
  text_.Key("extra");
  text_.Base64(entry.extra);
}

}  // namespace ckpt
