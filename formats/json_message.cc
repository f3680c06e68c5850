#include "formats/json_message.h"

#include <optional>
#include <string>
#include <vector>

#include "formats/field_number.h"
#include "formats/wire_cursor.h"

namespace ckpt {
namespace {

// What protobuf's own parsers allow.
constexpr int kMaxDepth = 100;

std::optional<uint64_t> ReadPacked(const JsonFieldSchema& field, ByteReader& reader) {
  return field.wire_type() == WireType::kFixed64 ? reader.ReadU64() : reader.ReadVarint();
}

bool IsEmptyPacked(const JsonFieldSchema& field, const WireField& value) {
  return field.packable() && value.type == WireType::kLengthDelimited && value.value.empty();
}

}  // namespace

// The field being written: its key, and the array around the values of a repeated one.
class JsonMessageWriter::OpenField {
 public:
  explicit OpenField(JsonMessageWriter& writer) : writer_(writer) {}

  Result<> Add(const JsonFieldSchema& field, const WireField& value) {
    if (IsEmptyPacked(field, value)) return success();
    if (&field != field_) Open(field);
    if (!field.packable() || value.type != WireType::kLengthDelimited) return AddOne(value);
    ByteReader reader(value.value);
    while (!reader.AtEnd()) {
      const std::optional<uint64_t> element = ReadPacked(field, reader);
      if (!element) {
        return MakeError(ErrorCode::kBadFormat, "{}: the packed value at offset {} is cut short",
                         field.name, reader.offset());
      }
      WireField one = value;
      one.word = *element;
      CKPT_TRY(AddOne(one));
    }
    return success();
  }

  void Close() {
    if (field_ == nullptr) return;
    if (CollectsAddress()) WriteAddress();
    if (field_->repeated) writer_.text_.EndArray();
    field_ = nullptr;
  }

 private:
  bool CollectsAddress() const {
    return field_->spelling == Spelling::kIpAddress && writer_.style_ == JsonStyle::kPretty;
  }

  void Open(const JsonFieldSchema& field) {
    Close();
    field_ = &field;
    writer_.text_.Key(field.name);
    if (field.repeated) writer_.text_.BeginArray();
  }

  Result<> AddOne(const WireField& value) {
    if (!CollectsAddress()) return writer_.WriteValue(*field_, value);
    words_.push_back(static_cast<uint32_t>(value.word));
    return success();
  }

  void WriteAddress() {
    writer_.WriteAddress(words_);
    words_.clear();
  }

  JsonMessageWriter& writer_;
  const JsonFieldSchema* field_ = nullptr;
  std::vector<uint32_t> words_;
};

void JsonMessageWriter::WriteAddress(const std::vector<uint32_t>& words) {
  if (const std::optional<std::string> address = SpellIpAddress(words)) {
    text_.Name(*address);
  } else {
    for (const uint32_t word : words) text_.Number(word);
  }
}

// A message that was scanned and found sound and ordered: nothing is left to be checked.
class JsonMessageWriter::Ordered {
 public:
  explicit Ordered(JsonMessageWriter& writer)
      : writer_(writer), text_(writer.text_), pretty_(writer.style_ == JsonStyle::kPretty) {}

  void Write(const JsonMessageSchema& schema, Bytes message) {
    WireCursor cursor(message);
    const JsonFieldSchema* array = nullptr;
    uint64_t tag = 0;
    while (!cursor.AtEnd() && cursor.ReadVarint(tag) && !text_.stopped()) {
      const auto type = static_cast<WireType>(tag & 7);
      const JsonFieldSchema* field = schema.Find(tag >> 3);
      if (field == nullptr || !field->Accepts(type)) {
        Skip(cursor, type);
        continue;
      }
      if (field != array) {
        if (array != nullptr) EndArray(*array);
        array = nullptr;
        if (field->repeated) {
          if (IsEmptyPacked(*field, type, cursor)) continue;
          array = field;
        }
        text_.RenderedKey(field->key);
        if (field->repeated) text_.BeginArray();
      }
      WriteField(*field, type, cursor);
    }
    if (array != nullptr) EndArray(*array);
  }

 private:
  static void Skip(WireCursor& cursor, WireType type) {
    uint64_t word = 0;
    Bytes bytes;
    if (type == WireType::kVarint) {
      cursor.ReadVarint(word);
    } else if (type == WireType::kLengthDelimited) {
      cursor.ReadLengthDelimited(bytes);
    } else if (type == WireType::kFixed64) {
      cursor.ReadFixed64(word);
    } else {
      cursor.ReadFixed32(word);
    }
  }

  static bool IsEmptyPacked(const JsonFieldSchema& field, WireType type, WireCursor& cursor) {
    if (!field.packable() || type != WireType::kLengthDelimited) return false;
    WireCursor ahead = cursor;
    uint64_t length = 0;
    if (!ahead.ReadVarint(length) || length > 0) return false;
    cursor = ahead;
    return true;
  }

  void EndArray(const JsonFieldSchema& field) {
    if (pretty_ && field.spelling == Spelling::kIpAddress) {
      writer_.WriteAddress(words_);
      words_.clear();
    }
    text_.EndArray();
  }

  void WriteField(const JsonFieldSchema& field, WireType type, WireCursor& cursor) {
    uint64_t word = 0;
    if (type == WireType::kVarint) {
      cursor.ReadVarint(word);
      return WriteWord(field, word);
    }
    if (type == WireType::kFixed64) {
      cursor.ReadFixed64(word);
      return WriteWord(field, word);
    }
    Bytes bytes;
    cursor.ReadLengthDelimited(bytes);
    if (field.kind == FieldKind::kMessage) {
      text_.BeginObject();
      Ordered(writer_).Write(*field.message, bytes);
      text_.EndObject();
    } else if (field.packable()) {
      WritePacked(field, bytes);
    } else {
      writer_.WriteBytes(field, bytes);
    }
  }

  void WritePacked(const JsonFieldSchema& field, Bytes bytes) {
    WireCursor cursor(bytes);
    const bool fixed = field.wire_type() == WireType::kFixed64;
    uint64_t word = 0;
    while (!cursor.AtEnd() && (fixed ? cursor.ReadFixed64(word) : cursor.ReadVarint(word))) {
      WriteWord(field, word);
    }
  }

  void WriteWord(const JsonFieldSchema& field, uint64_t word) {
    if (field.kind == FieldKind::kUint64 && field.spelling == Spelling::kHex && pretty_) {
      return text_.HexNumber(word);
    }
    if (field.kind == FieldKind::kBool) return text_.Bool(word != 0);
    if (pretty_ && field.spelling == Spelling::kIpAddress) {
      words_.push_back(static_cast<uint32_t>(word));
      return;
    }
    const bool natural = field.spelling == Spelling::kNatural || !pretty_;
    if (natural && field.kind == FieldKind::kUint64) return text_.Number(word);
    if (natural && field.kind == FieldKind::kUint32) {
      return text_.Number(static_cast<uint32_t>(word));
    }
    writer_.WriteNumber(field, MeantNumber(field.kind, word));
  }

  JsonMessageWriter& writer_;
  JsonText& text_;
  bool pretty_;
  std::vector<uint32_t> words_;
};

Result<> JsonMessageWriter::WriteFields(const JsonMessageSchema& schema, Bytes message) {
  return WriteFields(schema, message, ScanMessage(schema, message));
}

Result<> JsonMessageWriter::WriteFields(const JsonMessageSchema& schema, Bytes message,
                                        const MessageScan& scan) {
  if (!scan.sound || !scan.ordered) return WriteCarefully(schema, message);
  unknown_fields_ += scan.unknown_fields;
  Ordered(*this).Write(schema, message);
  return success();
}

Result<> JsonMessageWriter::WriteCarefully(const JsonMessageSchema& schema, Bytes message) {
  CKPT_TRY(const bool in_order, Scan(schema, message));
  return in_order ? WriteInWireOrder(schema, message) : WriteSorted(schema, message);
}

Result<> JsonMessageWriter::WriteMessage(const JsonMessageSchema& schema, Bytes message) {
  if (depth_ == kMaxDepth) {
    return MakeError(ErrorCode::kBadFormat, "{}: messages nest deeper than {}", schema.name,
                     kMaxDepth);
  }
  ++depth_;
  text_.BeginObject();
  CKPT_TRY(WriteCarefully(schema, message));
  text_.EndObject();
  --depth_;
  return success();
}

Result<bool> JsonMessageWriter::Scan(const JsonMessageSchema& schema, Bytes message) {
  bool in_order = true;
  uint32_t last_number = 0;
  WireReader reader(message);
  while (true) {
    Result<std::optional<WireField>> read = reader.Next();
    if (!read) return std::move(read).error().In(schema.name);
    const std::optional<WireField>& value = read.value();
    if (!value) return in_order;
    const JsonFieldSchema* field = schema.Find(value->number);
    if (field == nullptr || !field->Accepts(value->type)) {
      ++unknown_fields_;
      continue;
    }
    const uint32_t least = field->repeated ? last_number : last_number + 1;
    in_order = in_order && field->number >= least;
    last_number = field->number;
  }
}

Result<> JsonMessageWriter::WriteInWireOrder(const JsonMessageSchema& schema, Bytes message) {
  OpenField open(*this);
  WireReader reader(message);
  while (!text_.stopped()) {
    CKPT_TRY(const std::optional<WireField> value, reader.Next());
    if (!value) break;
    const JsonFieldSchema* field = schema.Find(value->number);
    if (field != nullptr && field->Accepts(value->type)) CKPT_TRY(open.Add(*field, *value));
  }
  open.Close();
  return success();
}

// Reads the message once for each of its fields: slow, but without memory of its own, and no
// program writes such messages except to try us.
Result<> JsonMessageWriter::WriteSorted(const JsonMessageSchema& schema, Bytes message) {
  OpenField open(*this);
  for (const JsonFieldSchema& field : schema.fields) {
    std::optional<WireField> last;
    std::string merged;
    WireReader reader(message);
    while (!text_.stopped()) {
      CKPT_TRY(const std::optional<WireField> value, reader.Next());
      if (!value) break;
      if (value->number != field.number || !field.Accepts(value->type)) continue;
      if (field.repeated) CKPT_TRY(open.Add(field, *value));
      last = value;
      // The encoding of a merged message is that of its parts, one after the other.
      if (field.kind == FieldKind::kMessage) merged += AsText(value->value);
    }
    if (!last || field.repeated) continue;
    if (field.kind == FieldKind::kMessage) last->value = AsBytes(merged);
    CKPT_TRY(open.Add(field, *last));
  }
  open.Close();
  return success();
}

Result<> JsonMessageWriter::WriteValue(const JsonFieldSchema& field, const WireField& value) {
  if (field.kind == FieldKind::kMessage) return WriteMessage(*field.message, value.value);
  if (field.wire_type() == WireType::kLengthDelimited) {
    WriteBytes(field, value.value);
  } else if (field.kind == FieldKind::kBool) {
    text_.Bool(value.word != 0);
  } else {
    WriteNumber(field, MeantNumber(field.kind, value.word));
  }
  return success();
}

void JsonMessageWriter::WriteNumber(const JsonFieldSchema& field, uint64_t value) {
  if (const auto text = SpellNumber(field, style_, value)) return text_.Name(*text);
  if (IsUnsigned(field.kind)) return text_.Number(value);
  text_.Number(static_cast<int64_t>(value));
}

void JsonMessageWriter::WriteBytes(const JsonFieldSchema& field, Bytes bytes) {
  if (field.kind == FieldKind::kString) return text_.String(AsText(bytes));
  if (field.spelling == Spelling::kUnixName) return text_.String(SpellUnixName(bytes));
  text_.Base64(bytes);
}

}  // namespace ckpt
