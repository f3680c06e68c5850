#include "formats/json_image.h"

#include <algorithm>
#include <memory>
#include <streambuf>
#include <utility>

#include "formats/base64.h"
#include "formats/extra.h"
#include "formats/image_message.h"
#include "formats/ordered_work.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/sockets_inet.pb.h"

namespace ckpt {
namespace {

// Of a payload in one piece; a multiple of what a line of base64 holds.
constexpr size_t kPieceBytes = kBase64LineBytes * 2048;
// A block of entries is written by another thread up to here; longer ones would have to be held.
constexpr size_t kLongestBlockBytes = size_t{1} << 20;
constexpr size_t kQueuedLengthBytes = 4;

Error CutShort(uint64_t wanted_bytes, uint64_t there_bytes) {
  return MakeError(ErrorCode::kBadFormat,
                   "extra of {} bytes runs {} bytes past the end of the file", wanted_bytes,
                   wanted_bytes - there_bytes);
}

// A stream into a string that is kept for its memory.
class StringSink : public std::streambuf {
 public:
  explicit StringSink(std::string& text) : text_(text) {}

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    text_.append(text, static_cast<size_t>(size));
    return size;
  }
  int_type overflow(int_type next) override {
    if (!traits_type::eq_int_type(next, traits_type::eof())) {
      text_.push_back(traits_type::to_char_type(next));
    }
    return traits_type::not_eof(next);
  }

 private:
  std::string& text_;
};

}  // namespace

void InexactParts::Add(const Entry& entry) {
  ++entry_count;
  if (entries.size() < kMostEntries) entries.push_back(entry);
}

void InexactParts::Append(const InexactParts& later) {
  old_header = old_header || later.old_header;
  entry_count += later.entry_count;
  for (const Entry& entry : later.entries) {
    if (entries.size() < kMostEntries) entries.push_back(entry);
  }
}

// Blocks of entries, written by several threads and taken in order.
class JsonImageWriter::Blocks {
 public:
  Blocks(JsonImageWriter& writer, const std::string& name, const ImageTypeInfo& info,
         const JsonMessageSchema& schema)
      : writer_(writer),
        name_(name),
        info_(info),
        schema_(schema),
        slots_(2 * writer.options_.threads + 1),
        work_(writer.options_.threads, slots_.size()) {}

  // The bytes are copied.
  void Add(const EntryBlock& block) {
    // Makes the slot that is next free.
    work_.WaitForRoom();
    Slot& slot = slots_[work_.next_number() % slots_.size()];
    slot.block = block;
    slot.bytes.assign(AsText(block.framed));
    work_.Add([this, &slot] { Fill(slot); }, [this, &slot] { Take(slot); });
  }

  Result<> Finish() {
    work_.Finish();
    return std::move(done_);
  }
  bool failed() const { return done_.has_error(); }

 private:
  struct Slot {
    EntryBlock block;
    std::string bytes;
    std::string text;
    uint64_t unknown_fields = 0;
    InexactParts inexact;
    Result<> done = success();
  };

  void Fill(Slot& slot) {
    slot.text.clear();
    StringSink sink(slot.text);
    std::ostream stream(&sink);
    JsonText text(stream, writer_.text_.style());
    const bool lines = writer_.options_.lines;
    text.Resume(writer_.text_.open(), !lines && slot.block.first_index > 0);
    JsonImageOptions options = writer_.options_;
    options.threads = 1;
    JsonImageWriter part(text, std::move(options));
    slot.done = WriteBlock(part, slot);
    text.Flush();
    slot.unknown_fields = part.unknown_fields_;
    slot.inexact = std::move(part.inexact_);
  }

  Result<> WriteBlock(JsonImageWriter& part, const Slot& slot) {
    Bytes framed = AsBytes(slot.bytes);
    size_t index = slot.block.first_index;
    while (!framed.empty()) {
      const uint64_t offset = slot.block.offset + (slot.bytes.size() - framed.size());
      CKPT_TRY(const StreamedEntry entry,
               ImageStream::ParseEntry(name_, info_, schema_, index, offset, framed));
      CKPT_TRY(part.WriteEntry(info_, entry, nullptr));
      ++index;
    }
    return success();
  }

  // What comes after an error is not shown.
  void Take(Slot& slot) {
    if (done_.has_error()) return;
    writer_.text_.Splice(slot.text);
    writer_.unknown_fields_ += slot.unknown_fields;
    writer_.inexact_.Append(slot.inexact);
    done_ = std::move(slot.done);
  }

  JsonImageWriter& writer_;
  const std::string& name_;
  const ImageTypeInfo& info_;
  const JsonMessageSchema& schema_;
  std::vector<Slot> slots_;
  Result<> done_ = success();
  OrderedWork work_;  // last: its threads end before the slots go
};

Result<> JsonImageWriter::Write(const std::string& name, ImageType type, Bytes bytes) {
  if (GetImageType(type).framing == ImageFraming::kRaw) {
    WriteRaw(type, bytes.size());
    return success();
  }
  MemorySource source(bytes);
  return Write(name, type, source);
}

Result<> JsonImageWriter::Write(const std::string& name, ImageType type, ByteSource& source) {
  const ImageTypeInfo& info = GetImageType(type);
  auto image = ImageStream::Open(name, type, source);
  Result<> done = success();
  BeginImage(type, image ? image.value().header_version() : HeaderVersion::kCurrent);
  const size_t depth = text_.depth();
  if (image) {
    done = WriteEntries(name, info, image.value());
  } else {
    done = std::move(image).error();
  }
  text_.CloseTo(depth);
  EndImage(done);
  return done;
}

void JsonImageWriter::BeginImage(ImageType type, HeaderVersion version) {
  text_.BeginObject();
  if (!options_.file_name.empty()) {
    text_.Key("file");
    text_.String(options_.file_name);
  }
  text_.Key("magic");
  text_.Name(GetImageType(type).magic_name);
  if (version == HeaderVersion::kOld) {
    inexact_.old_header = true;
    if (options_.lossless) {
      text_.Key("img_version");
      text_.Number(1);
    }
  }
  if (options_.lines) {
    text_.EndObject();
    return text_.EndDocument();
  }
  text_.Key("entries");
  text_.BeginArray();
}

void JsonImageWriter::EndImage(const Result<>& done) {
  if (!options_.lines) text_.EndArray();
  if (options_.lines && done) return;
  if (options_.lines) text_.BeginObject();
  if (!done) {
    text_.Key("error");
    text_.String(done.error().message);
  }
  text_.EndObject();
  if (options_.lines) text_.EndDocument();
}

void JsonImageWriter::BeginRaw(ImageType type) {
  text_.BeginObject();
  if (!options_.file_name.empty()) {
    text_.Key("file");
    text_.String(options_.file_name);
  }
  text_.Key("raw");
  text_.Bool(true);
  text_.Key("type");
  text_.Name(GetImageType(type).name);
}

void JsonImageWriter::WriteRaw(ImageType type, uint64_t size_bytes) {
  BeginRaw(type);
  text_.Key("size_bytes");
  text_.Number(size_bytes);
  text_.EndObject();
  if (options_.lines) text_.EndDocument();
}

Result<> JsonImageWriter::WriteRawContent(ImageType type, ByteSource& source) {
  BeginRaw(type);
  if (const auto size = source.size_bytes()) {
    text_.Key("size_bytes");
    text_.Number(*size);
  }
  text_.Key("extra");
  text_.BeginBase64();
  ByteWindow window(source);
  Result<> done = success();
  while (!text_.stopped()) {
    done = window.Fill(kPieceBytes);
    const Bytes piece = window.visible().first(std::min(kPieceBytes, window.visible().size()));
    if (!done || piece.empty()) break;
    text_.AddBase64(piece);
    window.Consume(piece.size());
  }
  text_.EndBase64();
  text_.EndObject();
  if (options_.lines) text_.EndDocument();
  return done;
}

Result<> JsonImageWriter::WriteEntries(const std::string& name, const ImageTypeInfo& info,
                                       ImageStream& image) {
  const bool in_blocks = options_.threads > 1 && info.extra == ExtraKind::kNone &&
                         info.framing != ImageFraming::kLegacyPages;
  if (!in_blocks) return WriteOneByOne(name, info, image, SIZE_MAX);
  // The head, and what is not worth a thread.
  CKPT_TRY(WriteOneByOne(name, info, image, 1));
  const auto& schema = SharedSchema(*FindEntryDescriptor(info.type, 1));
  CKPT_TRY(std::optional<EntryBlock> block, image.NextBlock());
  if (!block) return success();
  Blocks blocks(*this, name, info, schema);
  while (block && !text_.stopped() && !blocks.failed()) {
    if (block->framed.size() > kLongestBlockBytes) {
      CKPT_TRY(blocks.Finish());
      CKPT_TRY(WriteLongBlock(name, info, schema, *block));
    } else {
      blocks.Add(*block);
    }
    Result<std::optional<EntryBlock>> next = image.NextBlock();
    if (!next) {
      CKPT_TRY(blocks.Finish());
      return std::move(next).error();
    }
    block = next.value();
  }
  return blocks.Finish();
}

Result<> JsonImageWriter::WriteLongBlock(const std::string& name, const ImageTypeInfo& info,
                                         const JsonMessageSchema& schema, const EntryBlock& block) {
  Bytes framed = block.framed;
  size_t index = block.first_index;
  while (!framed.empty() && !text_.stopped()) {
    const uint64_t offset = block.offset + (block.framed.size() - framed.size());
    CKPT_TRY(const StreamedEntry entry,
             ImageStream::ParseEntry(name, info, schema, index, offset, framed));
    CKPT_TRY(WriteEntry(info, entry, nullptr));
    ++index;
  }
  return success();
}

Result<> JsonImageWriter::WriteOneByOne(const std::string& name, const ImageTypeInfo& info,
                                        ImageStream& image, size_t limit) {
  for (size_t i = 0; i < limit && !text_.stopped(); ++i) {
    CKPT_TRY(const std::optional<StreamedEntry> entry, image.Next());
    if (!entry) break;
    Result<> done = WriteEntry(info, *entry, &image);
    if (!done) {
      return std::move(done).error().In(
          fmt::format("{}: entry {} at offset {}", name, entry->index, entry->offset));
    }
  }
  return success();
}

// `image` may be null for types without extras.
Result<> JsonImageWriter::WriteEntry(const ImageTypeInfo& info, const StreamedEntry& entry,
                                     ImageStream* image) {
  text_.BeginObject();
  if (info.framing == ImageFraming::kLegacyPages) {
    WriteLegacyPage(entry);
    CKPT_TRY(WritePayload(entry.extra.size_bytes, *image));
  } else {
    CKPT_TRY(WriteMessage(entry));
    if (image != nullptr) CKPT_TRY(WriteExtra(info.extra, entry, *image));
  }
  text_.EndObject();
  if (options_.lines) text_.EndDocument();
  return success();
}

Result<> JsonImageWriter::WriteMessage(const StreamedEntry& entry) {
  JsonMessageWriter writer(text_, options_.spelling);
  CKPT_TRY(writer.WriteFields(*entry.schema, entry.message, entry.scan));
  unknown_fields_ += writer.unknown_fields();
  if (entry.scan.inexact == 0) return success();
  inexact_.Add({entry.index, entry.offset, entry.scan.inexact});
  if (options_.lossless) {
    text_.Key("raw");
    text_.Base64(entry.message);
  }
  return success();
}

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
