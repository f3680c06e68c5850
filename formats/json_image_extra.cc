// The payloads of JsonImageWriter.
#include <algorithm>
#include <utility>

#include "formats/base64.h"
#include "formats/extra.h"
#include "formats/image_message.h"
#include "formats/json_image.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/sockets_inet.pb.h"

namespace ckpt {
namespace {

// Of a payload in one piece; a multiple of what a line of base64 holds.
constexpr size_t kPieceBytes = kBase64LineBytes * 2048;
constexpr size_t kQueuedLengthBytes = 4;

Error CutShort(uint64_t wanted_bytes, uint64_t there_bytes) {
  return MakeError(ErrorCode::kBadFormat,
                   "extra of {} bytes runs {} bytes past the end of the file", wanted_bytes,
                   wanted_bytes - there_bytes);
}

}  // namespace

Result<> JsonImageWriter::WriteExtra(ExtraKind kind, const StreamedEntry& entry,
                                     ImageStream& image) {
  switch (kind) {
    case ExtraKind::kNone:
      return success();
    case ExtraKind::kPipeData:
    case ExtraKind::kPacket:
    case ExtraKind::kBpfMap:
      return WritePayload(entry.extra.size_bytes, image);
    case ExtraKind::kTcpQueues: {
      CKPT_TRY(const auto stream, ParseMessageAs<pb::tcp_stream_entry>(entry.message));
      return WriteTcpQueues(entry, stream.inq_len(), image);
    }
    case ExtraKind::kSharedMemory: {
      CKPT_TRY(const auto segment, ParseMessageAs<pb::ipc_shm_entry>(entry.message));
      if (segment.in_pagemaps()) return success();
      CKPT_TRY(WritePayload(entry.extra.size_bytes, image));
      return WritePadding(entry, entry.extra.padding_bytes, image);
    }
    case ExtraKind::kMessages:
      return WriteQueuedMessages(entry, image);
    case ExtraKind::kSemaphores:
      CKPT_TRY(WriteSemaphores(entry, image));
      return WritePadding(entry, entry.extra.padding_bytes, image);
    case ExtraKind::kGhost:
      if (entry.extra.to_end) return WriteRest(image);
      // The head of a file in chunks has none.
      return entry.index == 0 ? Result<>(success()) : WritePayload(entry.extra.size_bytes, image);
  }
  return MakeError(ErrorCode::kInternal, "extra of kind {}", static_cast<int>(kind));
}

// A string of base64; the key is the caller's.
Result<> JsonImageWriter::WriteBytes(uint64_t size_bytes, ImageStream& image) {
  text_.BeginBase64();
  Result<> done = success();
  for (uint64_t left = size_bytes; left > 0 && done && !text_.stopped();) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(left, kPieceBytes));
    const auto piece = image.ReadExact(wanted);
    if (!piece) {
      done = piece.error();
    } else if (!piece.value()) {
      done = CutShort(size_bytes, size_bytes - left + image.visible_bytes());
    } else {
      text_.AddBase64(*piece.value());
      left -= wanted;
    }
  }
  text_.EndBase64();
  return done;
}

Result<> JsonImageWriter::WritePayload(uint64_t size_bytes, ImageStream& image) {
  text_.Key("extra");
  return WriteBytes(size_bytes, image);
}

Result<> JsonImageWriter::WriteRest(ImageStream& image) {
  text_.Key("extra");
  text_.BeginBase64();
  Result<> done = success();
  while (!text_.stopped()) {
    Result<Bytes> piece = image.ReadSome(kPieceBytes);
    if (!piece || piece.value().empty()) {
      if (!piece) done = std::move(piece).error();
      break;
    }
    text_.AddBase64(piece.value());
  }
  text_.EndBase64();
  return done;
}

// Written only where it is not what everybody pads with.
Result<> JsonImageWriter::WritePadding(const StreamedEntry& entry, uint64_t size_bytes,
                                       ImageStream& image) {
  CKPT_TRY(const auto padding, image.ReadExact(static_cast<size_t>(size_bytes)));
  if (!padding) return CutShort(size_bytes, image.visible_bytes());
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  if (std::ranges::all_of(*padding, is_zero)) return success();
  inexact_.Add({entry.index, entry.offset, 0, /*padding=*/true});
  if (options_.lossless) {
    text_.Key("extra_padding");
    text_.Base64(*padding);
  }
  return success();
}

Result<> JsonImageWriter::WriteTcpQueues(const StreamedEntry& entry, uint64_t in_bytes,
                                         ImageStream& image) {
  text_.Key("extra");
  text_.BeginObject();
  text_.Key("inq");
  CKPT_TRY(WriteBytes(in_bytes, image));
  text_.Key("outq");
  CKPT_TRY(WriteBytes(entry.extra.size_bytes - in_bytes, image));
  text_.EndObject();
  return success();
}

Result<> JsonImageWriter::WriteSemaphores(const StreamedEntry& entry, ImageStream& image) {
  text_.Key("extra");
  text_.BeginArray();
  for (uint64_t left = entry.extra.size_bytes; left > 0 && !text_.stopped(); left -= 2) {
    CKPT_TRY(const auto value, image.ReadExact(2));
    if (!value) return CutShort(left, image.visible_bytes());
    text_.Number(std::to_integer<uint32_t>((*value)[0]) | std::to_integer<uint32_t>((*value)[1])
                                                              << 8);
  }
  text_.EndArray();
  return success();
}

Result<> JsonImageWriter::WriteQueuedMessages(const StreamedEntry& entry, ImageStream& image) {
  text_.Key("extra");
  text_.BeginArray();
  uint64_t offset = 0;
  for (uint32_t i = 0; i < entry.extra.messages && !text_.stopped(); ++i) {
    Result<uint64_t> size = WriteQueuedMessage(entry, image);
    if (!size) {
      return std::move(size).error().In(
          fmt::format("message {} of {} at byte {} of the extra", i, entry.extra.messages, offset));
    }
    offset += size.value();
  }
  text_.EndArray();
  return success();
}

Result<uint64_t> JsonImageWriter::WriteQueuedMessage(const StreamedEntry& entry,
                                                     ImageStream& image) {
  CKPT_TRY(const auto length, image.ReadExact(kQueuedLengthBytes));
  if (!length) return MakeError(ErrorCode::kBadFormat, "its ipc_msg is cut short");
  const uint32_t message_bytes = *ByteReader(*length).ReadU32();
  const auto left = image.remaining();
  const bool known_short = left && *left < message_bytes;
  std::optional<Bytes> message;
  if (!known_short) {
    CKPT_TRY(message, image.ReadExact(message_bytes));
  }
  if (!message) return MakeError(ErrorCode::kBadFormat, "its ipc_msg is cut short");
  CKPT_TRY(const auto queued, ParseMessageAs<pb::ipc_msg>(*message));
  const uint64_t padding = PaddingTo(kQueuedTextPadding, queued.msize());
  if (const auto rest = image.remaining(); rest && *rest < queued.msize() + padding) {
    return MakeError(ErrorCode::kBadFormat, "msize {} with {} bytes left", queued.msize(), *rest);
  }
  const JsonMessageSchema& schema = SharedSchema(*pb::ipc_msg::descriptor());
  StreamedEntry part;
  part.index = entry.index;
  part.offset = entry.offset;
  part.message = *message;
  part.schema = &schema;
  part.scan = ScanMessage(schema, *message);
  CKPT_TRY(WriteQueued(part, queued.msize(), padding, image));
  return kQueuedLengthBytes + message_bytes + queued.msize() + padding;
}

// In the order of crit: the message as an object, then its text. What pads the text is known only
// behind it, so of a text with odd padding `extra_padding` is an object of its own.
Result<> JsonImageWriter::WriteQueued(const StreamedEntry& part, uint64_t text_bytes,
                                      uint64_t padding, ImageStream& image) {
  text_.BeginObject();
  CKPT_TRY(WriteMessage(part));
  text_.EndObject();
  CKPT_TRY(WriteBytes(text_bytes, image));
  CKPT_TRY(const auto bytes, image.ReadExact(static_cast<size_t>(padding)));
  if (!bytes) return CutShort(padding, image.visible_bytes());
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  if (std::ranges::all_of(*bytes, is_zero)) return success();
  inexact_.Add({part.index, part.offset, 0, /*padding=*/true});
  if (!options_.lossless) return success();
  text_.BeginObject();
  text_.Key("extra_padding");
  text_.Base64(*bytes);
  text_.EndObject();
  return success();
}

void JsonImageWriter::WriteLegacyPage(const StreamedEntry& entry) {
  const uint64_t address = *ByteReader(entry.message).ReadU64();
  text_.Key("vaddr");
  if (options_.spelling == JsonStyle::kPretty) {
    text_.HexNumber(address);
  } else {
    text_.Number(address);
  }
}

}  // namespace ckpt
