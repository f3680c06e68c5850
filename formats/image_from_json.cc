#include "formats/image_from_json.h"

#include <climits>
#include <optional>
#include <string_view>
#include <utility>

#include "formats/entries_from_json.h"
#include "formats/extra.h"
#include "formats/extra_from_json.h"
#include "formats/image_message.h"
#include "formats/image_reader.h"
#include "formats/image_type.h"
#include "formats/json_reader.h"
#include "formats/json_schema.h"
#include "formats/proto/sockets_inet.pb.h"
#include "formats/spelling_reader.h"
#include "formats/wire_buffer.h"
#include "formats/wire_from_json.h"

namespace ckpt {
namespace {

constexpr size_t kWriteBytes = size_t{256} << 10;
constexpr size_t kLengthBytes = 4;
constexpr size_t kPageBytes = 4096;

class ImageFromJson : public ExtraKeys {
 public:
  ImageFromJson(const std::string& name, ByteSource& source, const ByteSink& out, size_t threads)
      : json_(name, source),
        out_(out),
        encoder_(json_, wire_),
        payloads_(json_),
        threads_(threads) {}

  Result<> Run() {
    if (ReadImage() && Flush()) return success();
    if (out_failed_.has_error()) return std::move(out_failed_);
    return json_.TakeError();
  }

  bool Read(std::string_view key, MessageBuild& build, bool& known) override;

 private:
  bool ReadImage();
  bool ReadTopMember(std::string_view key);
  bool ReadMagic();
  bool ReadVersion();
  bool ReadRawType();
  bool ReadRawBytes();
  bool EndRaw();
  bool ReadEntries();
  bool ReadLines();
  bool ReadInParts(bool lines);
  bool ReadEntry();
  bool EndEntry(size_t begin);
  bool EndLegacyPage(size_t begin);
  bool TakeRaw(const JsonMessageSchema& schema, size_t begin);
  bool AppendExtra(Bytes message, const google::protobuf::Descriptor& descriptor);
  bool CheckExtra(const ExtraLayout& layout, Bytes message);
  bool CheckQueues(Bytes message);

  bool ReadExtraKey(MessageBuild& build);
  bool ReadLegacyKey(std::string_view key, MessageBuild& build);
  bool ReadHeld(std::optional<std::string>& held, MessageBuild* build);
  bool BeginStreaming(MessageBuild& build);
  bool Give(Bytes bytes);
  bool Flush();
  bool WriteHeader();
  const JsonMessageSchema& Schema();

  JsonReader json_;
  const ByteSink& out_;
  Result<> out_failed_ = success();
  WireBuffer wire_;
  WireFromJson encoder_;
  ExtraFromJson payloads_;
  size_t threads_;
  const JsonMessageSchema* schema_ = nullptr;  // of entries behind the head

  const ImageTypeInfo* info_ = nullptr;
  HeaderVersion version_ = HeaderVersion::kCurrent;
  bool header_written_ = false;
  bool saw_entries_ = false;
  bool legacy_ = false;       // of an old pages image, which a PAGEMAP turns out to be
  bool reached_end_ = false;  // an entry took the rest of the file
  std::optional<uint64_t> raw_bytes_;
  std::optional<uint64_t> raw_size_said_;
  bool is_raw_ = false;
  size_t index_ = 0;
  EntryExtras extras_;
  uint64_t address_ = 0;  // of an old page
};

bool ImageFromJson::Give(Bytes bytes) {
  out_failed_ = out_(bytes);
  return out_failed_.has_value() || json_.Fail("");
}

bool ImageFromJson::Flush() {
  const bool given = wire_.size() == 0 || Give(wire_.From(0));
  wire_.Clear();
  return given;
}

bool ImageFromJson::ReadImage() {
  if (!json_.BeginObject()) return false;
  std::string_view key;
  bool first = true;
  for (JsonStep step; (step = json_.NextMember(first, key)) != JsonStep::kEnd; first = false) {
    if (step == JsonStep::kFailed) return false;
    const std::string name(key);
    if (ReadTopMember(name)) continue;
    if (name != "entries") json_.PrependPath(name);
    return false;
  }
  if (is_raw_ || raw_bytes_) {
    if (!EndRaw()) return false;
  } else {
    if (info_ == nullptr) return json_.Fail("an object without the key \"magic\"");
    if (!WriteHeader()) return false;
    if (!saw_entries_ && !ReadLines()) return false;
  }
  JsonKind kind;
  if (!json_.Peek(kind)) return false;
  return kind == JsonKind::kEnd || json_.Fail("text behind the image");
}

bool ImageFromJson::ReadTopMember(std::string_view key) {
  if (key == "magic") return ReadMagic();
  if (key == "entries") return ReadEntries();
  if (key == "img_version") return ReadVersion();
  if (key == "raw") return json_.ReadBool(is_raw_);
  if (key == "type") return ReadRawType();
  if (key == "extra") return ReadRawBytes();
  std::string_view text;
  if (key == "file") return json_.ReadString(text);
  if (key == "error") {
    return json_.ReadString(text) &&
           json_.Fail("this is what could be read of a damaged image: " + JsonReader::Quoted(text));
  }
  if (key != "size_bytes") return json_.Fail("no key of an image");
  uint64_t size = 0;
  bool negative = false;
  if (!json_.ReadInteger(size, negative)) return false;
  raw_size_said_ = size;
  return !negative || json_.Fail("a negative size");
}

bool ImageFromJson::ReadMagic() {
  std::string_view text;
  if (!json_.ReadString(text) || !payloads_.Once(info_ != nullptr)) return false;
  const auto type = FindImageTypeByName(text);
  if (!type || GetImageType(*type).framing == ImageFraming::kRaw) {
    return json_.Fail(JsonReader::Quoted(text) + " is no magic of the format");
  }
  info_ = &GetImageType(*type);
  return true;
}

bool ImageFromJson::ReadVersion() {
  uint64_t version = 0;
  bool negative = false;
  if (!json_.ReadInteger(version, negative)) return false;
  if (negative || version < 1 || version > 2) {
    return json_.Fail(fmt::format("version {}, 1 and 2 are known", version));
  }
  if (header_written_) return json_.Fail("has to stand before the entries");
  version_ = version == 1 ? HeaderVersion::kOld : HeaderVersion::kCurrent;
  return true;
}

bool ImageFromJson::ReadRawType() {
  std::string_view text;
  if (!json_.ReadString(text)) return false;
  const auto type = FindImageTypeByName(text);
  if (type && GetImageType(*type).framing == ImageFraming::kRaw) return true;
  return json_.Fail(JsonReader::Quoted(text) + " is no type of raw images");
}

bool ImageFromJson::ReadRawBytes() {
  if (info_ != nullptr) return json_.Fail("no key of an image with entries");
  if (!payloads_.Once(raw_bytes_.has_value()) || !json_.BeginBase64()) return false;
  raw_bytes_ = 0;
  while (true) {
    Bytes bytes;
    if (!payloads_.ReadPiece(bytes)) return false;
    if (bytes.empty()) return true;
    *raw_bytes_ += bytes.size();
    if (!Give(bytes)) return false;
  }
}

bool ImageFromJson::EndRaw() {
  if (info_ != nullptr) return json_.Fail("an image with both \"magic\" and \"raw\"");
  if (!is_raw_) return json_.Fail("an \"extra\" without \"raw\": true");
  if (!raw_bytes_) {
    return json_.Fail("a raw image without its bytes, as show prints it; decode has them in extra");
  }
  if (!raw_size_said_ || *raw_size_said_ == *raw_bytes_) return true;
  return json_.Fail(
      fmt::format("size_bytes is {}, and extra has {} bytes", *raw_size_said_, *raw_bytes_));
}

bool ImageFromJson::WriteHeader() {
  if (header_written_) return true;
  header_written_ = true;
  if (version_ == HeaderVersion::kCurrent && info_->prefix != MagicPrefix::kNone) {
    const bool service = info_->prefix == MagicPrefix::kService;
    wire_.AppendLittleEndian(service ? kServiceMagic : kCommonMagic, sizeof(uint32_t));
  }
  wire_.AppendLittleEndian(info_->magic, sizeof(uint32_t));
  return true;
}

bool ImageFromJson::ReadEntries() {
  if (info_ == nullptr) return json_.Fail("\"entries\" stands before \"magic\"");
  if (!payloads_.Once(saw_entries_)) return false;
  saw_entries_ = true;
  if (!WriteHeader() || !json_.BeginArray()) return false;
  for (bool first = true;; first = false) {
    if (!ReadInParts(/*lines=*/false)) return false;
    const JsonStep step = json_.NextElement(first);
    if (step == JsonStep::kEnd) return true;
    if (step == JsonStep::kItem && ReadEntry()) continue;
    json_.PrependPath(fmt::format("entries[{}]", index_));
    return false;
  }
}

bool ImageFromJson::ReadLines() {
  while (true) {
    JsonKind kind;
    if (!ReadInParts(/*lines=*/true) || !json_.Peek(kind)) return false;
    if (kind == JsonKind::kEnd) return true;
    if (ReadEntry()) continue;
    json_.PrependPath(fmt::format("entries[{}]", index_));
    return false;
  }
}

// Once, behind entries that showed what the others look like.
bool ImageFromJson::ReadInParts(bool lines) {
  constexpr size_t kEntriesBefore = 2;
  const bool suits = index_ == kEntriesBefore && info_->extra == ExtraKind::kNone && !legacy_;
  if (threads_ == 1 || !suits) return true;
  if (!Flush()) return false;
  const auto count = EntriesFromJson(json_, Schema(), lines, threads_, out_).Read();
  if (count) {
    index_ += count.value();
    return true;
  }
  out_failed_ = count.error();
  return false;
}

const JsonMessageSchema& ImageFromJson::Schema() {
  if (index_ == 0) return SharedSchema(*FindEntryDescriptor(info_->type, 0));
  if (schema_ == nullptr) schema_ = &SharedSchema(*FindEntryDescriptor(info_->type, index_));
  return *schema_;
}

bool ImageFromJson::ReadEntry() {
  if (reached_end_) return json_.Fail("an entry behind a file that has no chunks");
  if (info_->extra != ExtraKind::kNone || extras_.raw || legacy_) extras_ = {};
  wire_.AppendLittleEndian(0, kLengthBytes);
  const size_t begin = wire_.size();
  static const JsonMessageSchema kNoFields{.name = "page", .fields = {}, .index_by_number = {}};
  if (!encoder_.ReadMessage(legacy_ ? kNoFields : Schema(), this)) return false;
  if (!(legacy_ ? EndLegacyPage(begin) : EndEntry(begin))) return false;
  ++index_;
  return wire_.size() < kWriteBytes || Flush();
}

bool ImageFromJson::EndEntry(size_t begin) {
  if (extras_.streamed) {
    const uint64_t said = extras_.layout.size_bytes;
    if (!extras_.layout.to_end && said != extras_.streamed_bytes) {
      return json_.Fail(
          fmt::format("extra has {} bytes, its entry says {}", extras_.streamed_bytes, said));
    }
    const std::string padding = extras_.padding.value_or(
        std::string(static_cast<size_t>(extras_.layout.padding_bytes), '\0'));
    if (padding.size() != extras_.layout.padding_bytes) {
      return json_.Fail(fmt::format("extra_padding of {} bytes, {} are needed", padding.size(),
                                    extras_.layout.padding_bytes));
    }
    wire_.Append(padding);
    reached_end_ = extras_.layout.to_end;
    return true;
  }
  if (extras_.raw && !TakeRaw(Schema(), begin)) return false;
  const Bytes message = wire_.From(begin);
  if (message.size() > INT_MAX) return json_.Fail("a message of more than 2 GiB");
  wire_.PutU32(static_cast<uint32_t>(message.size()), begin - kLengthBytes);
  if (info_->extra == ExtraKind::kNone) return true;
  return AppendExtra(message, *FindEntryDescriptor(info_->type, index_));
}

// The bytes that --lossless carried along, if they still are what the fields say.
bool ImageFromJson::TakeRaw(const JsonMessageSchema& schema, size_t begin) {
  const std::optional<std::string> canonical = CanonicalMessage(schema, AsBytes(*extras_.raw));
  if (!canonical) return json_.Fail(fmt::format("raw is no {}", schema.name));
  if (*canonical != AsText(wire_.From(begin))) {
    return json_.Fail("raw says something else than the fields beside it: one of them has to go");
  }
  wire_.Truncate(begin);
  wire_.Append(*extras_.raw);
  extras_.raw.reset();
  return true;
}

bool ImageFromJson::AppendExtra(Bytes message, const google::protobuf::Descriptor& descriptor) {
  const auto parsed = ParseMessageOf(descriptor, message);
  if (!parsed) return json_.Fail(parsed.error().message);
  const ExtraLayout layout = LayoutOfExtra(info_->extra, *parsed.value());
  if (!CheckExtra(layout, message)) return false;
  reached_end_ = layout.to_end;
  if (extras_.extra) wire_.Append(*extras_.extra);
  if (extras_.padding) {
    wire_.Append(*extras_.padding);
  } else {
    wire_.Append(std::string(static_cast<size_t>(layout.padding_bytes), '\0'));
  }
  return true;
}

bool ImageFromJson::CheckExtra(const ExtraLayout& layout, Bytes message) {
  const uint64_t size = extras_.extra ? extras_.extra->size() : 0;
  if (info_->extra == ExtraKind::kMessages) {
    return extras_.count == layout.messages ||
           json_.Fail(
               fmt::format("extra has {} messages, qnum says {}", extras_.count, layout.messages));
  }
  if (!layout.to_end && size != layout.size_bytes) {
    return json_.Fail(
        fmt::format("extra has {} bytes, its entry says {}", size, layout.size_bytes));
  }
  if (extras_.padding && extras_.padding->size() != layout.padding_bytes) {
    return json_.Fail(fmt::format("extra_padding of {} bytes, {} are needed",
                                  extras_.padding->size(), layout.padding_bytes));
  }
  return info_->extra != ExtraKind::kTcpQueues || CheckQueues(message);
}

bool ImageFromJson::CheckQueues(Bytes message) {
  const auto stream = ParseMessageAs<pb::tcp_stream_entry>(message);
  if (!stream) return json_.Fail(stream.error().message);
  return stream.value().inq_len() == extras_.in_queue_bytes ||
         json_.Fail(fmt::format("inq has {} bytes, inq_len says {}", extras_.in_queue_bytes,
                                stream.value().inq_len()));
}

bool ImageFromJson::EndLegacyPage(size_t begin) {
  wire_.Truncate(begin - kLengthBytes);
  if (!extras_.extra || extras_.extra->size() != kPageBytes || extras_.count == 0) {
    return json_.Fail(fmt::format("an old page has vaddr and an extra of {} bytes", kPageBytes));
  }
  wire_.AppendLittleEndian(address_, sizeof address_);
  wire_.Append(*extras_.extra);
  return true;
}

bool ImageFromJson::Read(std::string_view key, MessageBuild& build, bool& known) {
  known = true;
  // Old pages images share the magic of PAGEMAP, but not its entries.
  const bool may_be_legacy = info_->type == ImageType::kPagemap && index_ == 0 && build.seen == 0;
  if (legacy_ || (may_be_legacy && (key == "vaddr" || key == "extra"))) {
    return ReadLegacyKey(key, build);
  }
  if (key == "raw")
    return payloads_.Once(extras_.raw.has_value()) && ReadHeld(extras_.raw, nullptr);
  if (key == "extra" && info_->extra != ExtraKind::kNone) {
    return payloads_.Once(extras_.extra.has_value() || extras_.streamed) && ReadExtraKey(build);
  }
  const bool padded =
      info_->extra == ExtraKind::kSharedMemory || info_->extra == ExtraKind::kSemaphores;
  if (key == "extra_padding" && padded) {
    return payloads_.Once(extras_.padding.has_value()) && ReadHeld(extras_.padding, nullptr);
  }
  known = false;
  return true;
}

bool ImageFromJson::ReadLegacyKey(std::string_view key, MessageBuild& build) {
  legacy_ = true;
  build.seen = build.schema.required;
  if (key == "extra")
    return payloads_.Once(extras_.extra.has_value()) && ReadHeld(extras_.extra, nullptr);
  if (key != "vaddr") return json_.Fail("no key of an old page");
  if (!payloads_.Once(extras_.count > 0)) return false;
  extras_.count = 1;
  JsonKind kind;
  if (!json_.Peek(kind)) return false;
  bool negative = false;
  if (kind == JsonKind::kString) {
    std::string_view text;
    if (!json_.ReadString(text)) return false;
    const auto number = ReadInteger(text);
    if (!number) return json_.Fail("no address");
    address_ = number->magnitude;
    negative = number->negative;
  } else if (!json_.ReadInteger(address_, negative)) {
    return false;
  }
  return !negative || json_.Fail("a negative address");
}

bool ImageFromJson::ReadExtraKey(MessageBuild& build) {
  switch (info_->extra) {
    case ExtraKind::kTcpQueues:
      return payloads_.ReadQueues(extras_);
    case ExtraKind::kSemaphores:
      return payloads_.ReadSemaphores(extras_);
    case ExtraKind::kMessages:
      return payloads_.ReadMessages(extras_);
    default:
      return ReadHeld(extras_.extra, &build);
  }
}

// With `build` what becomes long goes on to the sink, behind the message as it is then.
bool ImageFromJson::ReadHeld(std::optional<std::string>& held, MessageBuild* build) {
  if (!json_.BeginBase64()) return false;
  held.emplace();
  while (true) {
    Bytes bytes;
    if (!payloads_.ReadPiece(bytes)) return false;
    if (bytes.empty()) break;
    if (extras_.streamed) {
      extras_.streamed_bytes += bytes.size();
      if (!Give(bytes)) return false;
      continue;
    }
    *held += AsText(bytes);
    if (build != nullptr && held->size() > kMaxHeldExtraBytes && !BeginStreaming(*build)) {
      return false;
    }
  }
  if (extras_.streamed) held.reset();
  return true;
}

bool ImageFromJson::BeginStreaming(MessageBuild& build) {
  if (!encoder_.FinishMessage(build)) return false;
  if (extras_.raw && !TakeRaw(build.schema, build.begin)) return false;
  const Bytes message = wire_.From(build.begin);
  const auto parsed = ParseMessageOf(*FindEntryDescriptor(info_->type, index_), message);
  if (!parsed) return json_.Fail(parsed.error().message);
  extras_.layout = LayoutOfExtra(info_->extra, *parsed.value());
  wire_.PutU32(static_cast<uint32_t>(message.size()), build.begin - kLengthBytes);
  extras_.streamed = true;
  extras_.streamed_bytes = extras_.extra->size();
  build.closed = true;
  return Flush() && Give(AsBytes(*extras_.extra));
}

}  // namespace

Result<> WriteImageFromJson(const std::string& name, ByteSource& json, const ByteSink& out,
                            size_t threads) {
  return ImageFromJson(name, json, out, threads).Run();
}

}  // namespace ckpt
