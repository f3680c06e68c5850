#include "formats/image_stream.h"

#include "formats/image_message.h"

namespace ckpt {
namespace {

// Of entries that are worked on together: their text stays in the caches of a processor.
constexpr size_t kBlockBytes = size_t{64} << 10;

// `bytes` has four.
uint32_t FirstU32(Bytes bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | std::to_integer<uint32_t>(bytes[i]);
  return value;
}

// What the quick scan did not vouch for, by protobuf.
Result<> CheckMessage(const google::protobuf::Descriptor& descriptor, Bytes message,
                      const MessageScan& scan) {
  if (scan.sound) return success();
  CKPT_TRY(ParseMessageOf(descriptor, message));
  return success();
}

}  // namespace

Result<ImageStream> ImageStream::Open(std::string name, ImageType type, ByteSource& source) {
  ImageStream image(std::move(name), GetImageType(type), source);
  auto version = ReadImageHeader(*image.info_, [&] { return image.ReadMagic(); });
  if (version.has_error()) return std::move(version).error().In(image.name_);
  image.version_ = version.value();
  return image;
}

Result<uint32_t> ImageStream::ReadMagic() {
  CKPT_TRY(window_.Fill(kMagicBytes));
  const Bytes bytes = window_.visible();
  if (bytes.size() < kMagicBytes) return NoMagicError(bytes.size(), window_.offset());
  const uint32_t magic = FirstU32(bytes);
  window_.Consume(kMagicBytes);
  return magic;
}

Error ImageStream::At(Error error, uint64_t offset) const {
  return std::move(error).In(fmt::format("{}: entry {} at offset {}", name_, index_, offset));
}

Result<std::optional<StreamedEntry>> ImageStream::Next() {
  CKPT_TRY(window_.Fill(1));
  if (window_.visible().empty()) return std::optional<StreamedEntry>();
  const uint64_t offset = window_.offset();
  const bool legacy = info_->framing == ImageFraming::kLegacyPages;
  auto entry = legacy ? ReadLegacyPage() : ReadEntry();
  if (entry.has_error()) return At(std::move(entry).error(), offset);
  ++index_;
  return std::optional(std::move(entry).value());
}

// The first entry may be another message than those behind it.
void ImageStream::FindDescriptor() {
  if (index_ > 1 && schema_ != nullptr) return;
  descriptor_ = FindEntryDescriptor(info_->type, index_);
  schema_ = &SharedSchema(*descriptor_);
}

Result<Bytes> ImageStream::ShowFramed() {
  CKPT_TRY(window_.Fill(kLengthBytes));
  if (window_.visible().size() < kLengthBytes) return NoLengthError(window_.visible().size());
  const uint64_t length = FirstU32(window_.visible());
  // Without reading what is no message anyway, where that can be told.
  const auto known = window_.remaining();
  if (!known || kLengthBytes + length <= *known) CKPT_TRY(window_.Fill(kLengthBytes + length));
  const uint64_t left = known.value_or(window_.visible().size()) - kLengthBytes;
  if (length <= window_.visible().size() - kLengthBytes) {
    return window_.visible().first(kLengthBytes + length);
  }
  return LengthError(length, left);
}

Result<StreamedEntry> ImageStream::ReadEntry() {
  StreamedEntry entry;
  entry.index = index_;
  entry.offset = window_.offset();
  FindDescriptor();
  entry.schema = schema_;
  CKPT_TRY(const Bytes framed, ShowFramed());
  entry.message = framed.subspan(kLengthBytes);
  entry.scan = ScanMessage(*entry.schema, entry.message);
  CKPT_TRY(CheckMessage(*descriptor_, entry.message, entry.scan));
  window_.Consume(framed.size());
  if (info_->extra != ExtraKind::kNone) CKPT_TRY(FindExtra(entry));
  return entry;
}

Result<> ImageStream::FindExtra(StreamedEntry& entry) {
  CKPT_TRY(const auto parsed, ParseMessageOf(*descriptor_, entry.message));
  entry.extra = LayoutOfExtra(info_->extra, *parsed);
  const auto left = window_.remaining();
  if (!left) return success();
  if (entry.extra.messages > *left / kMinQueuedMessageBytes) {
    return MakeError(ErrorCode::kBadFormat, "qnum {} does not fit into the {} bytes left",
                     entry.extra.messages, *left);
  }
  // In an order that cannot wrap.
  const ExtraLayout& extra = entry.extra;
  if (extra.size_bytes <= *left && extra.padding_bytes <= *left - extra.size_bytes) {
    return success();
  }
  return MakeError(
      ErrorCode::kBadFormat, "extra of {} bytes runs {} bytes past the end of the file",
      extra.size_bytes + extra.padding_bytes, extra.size_bytes - *left + extra.padding_bytes);
}

Result<StreamedEntry> ImageStream::ReadLegacyPage() {
  CKPT_TRY(window_.Fill(kAddressBytes + kLegacyPageBytes));
  if (window_.visible().size() < kAddressBytes + kLegacyPageBytes) {
    return NoLegacyPageError(window_.visible().size());
  }
  StreamedEntry entry;
  entry.index = index_;
  entry.offset = window_.offset();
  entry.message = window_.visible().first(kAddressBytes);
  entry.extra.size_bytes = kLegacyPageBytes;
  window_.Consume(kAddressBytes);
  return entry;
}

Bytes ImageStream::FirstMessage(Bytes framed) {
  return framed.subspan(kLengthBytes, FirstU32(framed));
}

Result<StreamedEntry> ImageStream::ParseEntry(const std::string& name, const ImageTypeInfo& info,
                                              const JsonMessageSchema& schema, size_t index,
                                              uint64_t offset, Bytes& framed) {
  StreamedEntry entry;
  entry.index = index;
  entry.offset = offset;
  entry.schema = &schema;
  entry.message = FirstMessage(framed);
  framed = framed.subspan(kLengthBytes + entry.message.size());
  entry.scan = ScanMessage(schema, entry.message);
  if (entry.scan.sound) return entry;
  auto checked = CheckMessage(*FindEntryDescriptor(info.type, index), entry.message, entry.scan);
  if (!checked.has_error()) return entry;
  return std::move(checked).error().In(
      fmt::format("{}: entry {} at offset {}", name, index, offset));
}

Result<std::optional<EntryBlock>> ImageStream::NextBlock() {
  CKPT_TRY(window_.Fill(kBlockBytes));
  if (window_.visible().empty()) return std::optional<EntryBlock>();
  EntryBlock block{index_, window_.offset(), {}};
  Bytes rest = window_.visible();
  size_t size = 0;
  while (rest.size() >= kLengthBytes && size < kBlockBytes) {
    const size_t framed = kLengthBytes + FirstU32(rest);
    if (framed > rest.size()) break;
    rest = rest.subspan(framed);
    size += framed;
    ++index_;
  }
  if (size == 0) {
    auto framed = ShowFramed();
    if (framed.has_error()) return At(std::move(framed).error(), block.offset);
    size = framed.value().size();
    ++index_;
  }
  block.framed = window_.visible().first(size);
  window_.Consume(size);
  return std::optional(block);
}

Result<> ImageStream::PassOverExtra(const StreamedEntry& entry) {
  const ExtraLayout& extra = entry.extra;
  CKPT_CHECK(extra.messages == 0);
  CKPT_TRY(const uint64_t passed, window_.Skip(extra.to_end ? UINT64_MAX : extra.size_bytes));
  CKPT_TRY(const uint64_t padding, window_.Skip(extra.padding_bytes));
  if (extra.to_end || (passed == extra.size_bytes && padding == extra.padding_bytes)) {
    return success();
  }
  return MakeError(ErrorCode::kBadFormat,
                   "{}: entry {} at offset {}: extra of {} bytes, with {} bytes of it in the file",
                   name_, entry.index, entry.offset, extra.size_bytes + extra.padding_bytes,
                   passed + padding);
}

Result<std::optional<Bytes>> ImageStream::ReadExact(size_t size_bytes) {
  CKPT_TRY(window_.Fill(size_bytes));
  if (window_.visible().size() < size_bytes) return std::optional<Bytes>();
  const Bytes bytes = window_.visible().first(size_bytes);
  window_.Consume(size_bytes);
  return std::optional(bytes);
}

Result<Bytes> ImageStream::ReadSome(size_t limit_bytes) {
  CKPT_TRY(window_.Fill(limit_bytes));
  const Bytes bytes = window_.visible().first(std::min(limit_bytes, window_.visible().size()));
  window_.Consume(bytes.size());
  return bytes;
}

}  // namespace ckpt
