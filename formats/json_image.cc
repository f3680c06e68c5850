#include "formats/json_image.h"

#include <algorithm>
#include <memory>
#include <streambuf>
#include <utility>

#include "formats/base64.h"
#include "formats/image_message.h"
#include "formats/json_template.h"
#include "formats/ordered_work.h"

namespace ckpt {
namespace {

// Of a payload in one piece; a multiple of what a line of base64 holds.
constexpr size_t kPieceBytes = kBase64LineBytes * 2048;
// A block of entries is written by another thread up to here; longer ones would have to be held.
constexpr size_t kLongestBlockBytes = size_t{1} << 20;

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

// What the blocks of an image have in common.
struct JsonImageWriter::BlockForm {
  const std::string& name;
  const ImageTypeInfo& info;
  const JsonMessageSchema& schema;
  const JsonTemplate& entries;
};

// Blocks of entries, written by several threads and taken in order.
class JsonImageWriter::Blocks {
 public:
  Blocks(JsonImageWriter& writer, const BlockForm& form)
      : writer_(writer),
        form_(form),
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
    EntryBlock block = slot.block;
    block.framed = AsBytes(slot.bytes);
    slot.done = part.WriteBlock(form_, block);
    text.CloseTo(writer_.text_.open().size());
    text.Flush();
    slot.unknown_fields = part.unknown_fields_;
    slot.inexact = std::move(part.inexact_);
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
  const BlockForm& form_;
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
  const bool is_cut_short = text_.depth() > depth;
  text_.CloseTo(depth);
  if (is_cut_short && options_.lines) text_.EndDocument();
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
  if (info.extra != ExtraKind::kNone || info.framing == ImageFraming::kLegacyPages) {
    return WriteOneByOne(name, info, image, SIZE_MAX);
  }
  // The head, and what is not worth a template.
  CKPT_TRY(WriteOneByOne(name, info, image, 1));
  CKPT_TRY(const std::optional<EntryBlock> first, image.NextBlock());
  if (!first) return success();
  const auto& schema = SharedSchema(*FindEntryDescriptor(info.type, 1));
  const JsonTemplate entries(schema, options_.spelling, text_.style(), text_.depth() + 1);
  const BlockForm form{name, info, schema, entries};
  return options_.threads > 1 ? WriteByThreads(form, *first, image)
                              : WriteInTurn(form, *first, image);
}

Result<> JsonImageWriter::WriteInTurn(const BlockForm& form, const EntryBlock& first,
                                      ImageStream& image) {
  for (std::optional<EntryBlock> block = first; block && !text_.stopped();) {
    CKPT_TRY(WriteBlock(form, *block));
    CKPT_TRY(const std::optional<EntryBlock> next, image.NextBlock());
    block = next;
  }
  return success();
}

Result<> JsonImageWriter::WriteByThreads(const BlockForm& form, const EntryBlock& first,
                                         ImageStream& image) {
  Blocks blocks(*this, form);
  std::optional<EntryBlock> block = first;
  while (block && !text_.stopped() && !blocks.failed()) {
    if (block->framed.size() > kLongestBlockBytes) {
      CKPT_TRY(blocks.Finish());
      CKPT_TRY(WriteBlock(form, *block));
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

Result<> JsonImageWriter::WriteBlock(const BlockForm& form, const EntryBlock& block) {
  Bytes framed = block.framed;
  for (size_t index = block.first_index; !framed.empty() && !text_.stopped(); ++index) {
    if (WriteByTemplate(form.entries, framed)) continue;
    const uint64_t offset = block.offset + (block.framed.size() - framed.size());
    CKPT_TRY(const StreamedEntry entry,
             ImageStream::ParseEntry(form.name, form.info, form.schema, index, offset, framed));
    CKPT_TRY(WriteEntry(form.info, entry, nullptr));
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

// The entry at the front of `framed`, which is removed from it, if the template has its text.
bool JsonImageWriter::WriteByTemplate(const JsonTemplate& entries, Bytes& framed) {
  const Bytes message = ImageStream::FirstMessage(framed);
  if (!text_.Object([&](char* at, char* end) { return entries.WriteMembers(message, at, end); })) {
    return false;
  }
  if (options_.lines) text_.EndDocument();
  framed = framed.subspan(static_cast<size_t>(message.data() + message.size() - framed.data()));
  return true;
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

}  // namespace ckpt
