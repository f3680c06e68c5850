#include "formats/extra_from_json.h"

#include <functional>
#include <sstream>
#include <utility>

#include "formats/byte_source.h"
#include "formats/image_message.h"
#include "formats/json_message.h"
#include "formats/json_text.h"
#include "formats/proto/ipc.pb.h"
#include "formats/wire_buffer.h"
#include "formats/wire_from_json.h"

namespace ckpt {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr size_t kLengthBytes = 4;

// Keys of an ipc_msg in a queue that are no fields.
class QueuedKeys : public ExtraKeys {
 public:
  explicit QueuedKeys(std::function<bool(std::optional<std::string>&)> read)
      : read_(std::move(read)) {}
  bool Read(std::string_view key, MessageBuild& build, bool& known) override {
    const bool is_raw = key == "raw" && !raw;
    const bool is_padding = key == "extra_padding" && build.seen == 0;
    known = is_raw || is_padding;
    // An object for the padding of the text before it is no message.
    if (is_padding) build.seen = build.schema.required;
    return !known || read_(is_raw ? raw : padding);
  }
  std::optional<std::string> raw;
  std::optional<std::string> padding;

 private:
  std::function<bool(std::optional<std::string>&)> read_;
};

}  // namespace

std::optional<std::string> CanonicalMessage(const JsonMessageSchema& schema, Bytes message) {
  std::ostringstream out;
  JsonText text(out, JsonStyle::kPlain);
  JsonMessageWriter writer(text, JsonStyle::kPlain);
  text.BeginObject();
  if (!writer.WriteFields(schema, message)) return std::nullopt;
  text.EndObject();
  text.Flush();
  const std::string json = out.str();
  MemorySource source(AsBytes(json));
  JsonReader reader("", source);
  WireBuffer wire;
  if (!WireFromJson(reader, wire).ReadMessage(schema)) return std::nullopt;
  return std::string(AsText(wire.From(0)));
}

bool ExtraFromJson::ReadPiece(Bytes& bytes) {
  piece_.resize(kPieceBytes);
  size_t size = 0;
  if (!json_.ReadBase64(piece_, size)) return false;
  bytes = Bytes(piece_).first(size);
  return true;
}

bool ExtraFromJson::ReadBytes(std::optional<std::string>& bytes) {
  if (!json_.BeginBase64()) return false;
  bytes.emplace();
  while (true) {
    Bytes piece;
    if (!ReadPiece(piece)) return false;
    if (piece.empty()) return true;
    *bytes += AsText(piece);
  }
}

bool ExtraFromJson::ReadQueues(EntryExtras& extras) {
  std::optional<std::string> in;
  std::optional<std::string> out;
  if (!json_.BeginObject()) return false;
  std::string_view key;
  bool first = true;
  for (JsonStep step; (step = json_.NextMember(first, key)) != JsonStep::kEnd; first = false) {
    if (step == JsonStep::kFailed) return false;
    const std::string name(key);
    if (name != "inq" && name != "outq") return json_.Fail("inq and outq are expected");
    auto& queue = name == "inq" ? in : out;
    if (!Once(queue.has_value())) return false;
    if (ReadBytes(queue)) continue;
    json_.PrependPath("." + name);
    return false;
  }
  extras.in_queue_bytes = in ? in->size() : 0;
  extras.extra = in.value_or("") + out.value_or("");
  return true;
}

bool ExtraFromJson::ReadSemaphores(EntryExtras& extras) {
  if (!json_.BeginArray()) return false;
  extras.extra.emplace();
  for (size_t i = 0;; ++i) {
    const JsonStep step = json_.NextElement(i == 0);
    if (step == JsonStep::kEnd) return true;
    uint64_t value = 0;
    bool negative = false;
    bool read = step == JsonStep::kItem && json_.ReadInteger(value, negative);
    if (read && (negative || value > UINT16_MAX)) {
      read = json_.Fail(
          fmt::format("{}{} where 0 to {} is allowed", negative ? "-" : "", value, UINT16_MAX));
    }
    if (!read) {
      json_.PrependPath(fmt::format("[{}]", i));
      return false;
    }
    *extras.extra += static_cast<char>(value);
    *extras.extra += static_cast<char>(value >> 8);
  }
}

bool ExtraFromJson::ReadMessages(EntryExtras& extras) {
  if (!json_.BeginArray()) return false;
  extras.extra.emplace();
  bool is_text = false;
  for (size_t i = 0;; ++i) {
    const JsonStep step = json_.NextElement(i == 0);
    if (step == JsonStep::kEnd) return !is_text || json_.Fail("a message without its text");
    bool is_message = false;
    if (step != JsonStep::kItem ||
        !(is_text ? ReadQueuedText(extras) : ReadQueuedMessage(extras, is_message))) {
      json_.PrependPath(fmt::format("[{}]", i));
      return false;
    }
    is_text = is_message;
  }
}

bool ExtraFromJson::EndQueuedMessage(std::string_view padding, EntryExtras& extras) {
  const auto size = static_cast<size_t>(PaddingTo(kQueuedTextPadding, text_bytes_));
  if (extras.count == 0 || padding.size() != size) {
    return json_.Fail(
        fmt::format("extra_padding of {} bytes, {} are needed", padding.size(), size));
  }
  extras.extra->replace(extras.extra->size() - size, size, padding);
  return true;
}

bool ExtraFromJson::ReadQueuedMessage(EntryExtras& extras, bool& is_message) {
  const JsonMessageSchema& schema = SharedSchema(*pb::ipc_msg::descriptor());
  WireBuffer wire;
  QueuedKeys keys([this](std::optional<std::string>& raw) { return ReadBytes(raw); });
  if (!WireFromJson(json_, wire).ReadMessage(schema, &keys)) return false;
  is_message = !keys.padding;
  if (keys.padding) return EndQueuedMessage(*keys.padding, extras);
  std::string message(AsText(wire.From(0)));
  if (keys.raw) {
    if (CanonicalMessage(schema, AsBytes(*keys.raw)) != message) {
      return json_.Fail("raw says something else than the fields beside it");
    }
    message = *keys.raw;
  }
  const auto parsed = ParseMessageAs<pb::ipc_msg>(AsBytes(message));
  if (!parsed) return json_.Fail(parsed.error().message);
  text_bytes_ = parsed.value().msize();
  WireBuffer length;
  length.AppendLittleEndian(message.size(), kLengthBytes);
  extras.extra->append(AsText(length.From(0))).append(message);
  ++extras.count;
  return true;
}

bool ExtraFromJson::ReadQueuedText(EntryExtras& extras) {
  std::optional<std::string> text;
  if (!ReadBytes(text)) return false;
  if (text->size() != text_bytes_) {
    return json_.Fail(
        fmt::format("a text of {} bytes, its msize says {}", text->size(), text_bytes_));
  }
  extras.extra->append(*text);
  extras.extra->append(static_cast<size_t>(PaddingTo(kQueuedTextPadding, text_bytes_)), '\0');
  return true;
}

}  // namespace ckpt
