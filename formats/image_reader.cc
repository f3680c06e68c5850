#include "formats/image_reader.h"

#include <vector>

#include "formats/extra.h"
#include "formats/image_message.h"

namespace ckpt {
namespace {

// The remaining bytes without moving the reader.
Bytes Rest(const ByteReader& reader) {
  ByteReader copy = reader;
  return copy.ReadRest();
}

Result<uint32_t> ReadMagic(ByteReader& reader) {
  auto magic = reader.ReadU32();
  if (magic) return *magic;
  return NoMagicError(reader.remaining(), reader.offset());
}

}  // namespace

Result<ImageType> IdentifyImage(const std::string& name, Bytes bytes) {
  ByteReader reader(bytes);
  auto magic = ReadMagic(reader);
  if (magic.has_value() && (magic.value() == kCommonMagic || magic.value() == kServiceMagic)) {
    magic = ReadMagic(reader);
  }
  if (magic.has_error()) return std::move(magic).error().In(name);
  if (auto type = FindImageTypeByMagic(magic.value())) return *type;
  return MakeError(ErrorCode::kBadFormat, "{}: magic {:#010x} at offset {} is of no image type",
                   name, magic.value(), reader.offset() - kMagicBytes);
}

Result<ImageReader> ImageReader::Open(std::string name, ImageType type, Bytes bytes) {
  ImageReader image(std::move(name), GetImageType(type), bytes);
  if (image.info_->framing == ImageFraming::kRaw) {
    image.reader_.ReadRest();
    return image;
  }
  auto version = ReadImageHeader(*image.info_, [&] { return ReadMagic(image.reader_); });
  if (version.has_error()) return std::move(version).error().In(image.name_);
  image.version_ = version.value();
  return image;
}

Result<std::optional<ImageEntry>> ImageReader::Next() {
  if (reader_.AtEnd()) return std::optional<ImageEntry>();
  size_t offset = reader_.offset();
  bool legacy = info_->framing == ImageFraming::kLegacyPages;
  auto entry = legacy ? ReadLegacyPage() : ReadEntry();
  if (entry.has_error()) {
    return std::move(entry).error().In(
        fmt::format("{}: entry {} at offset {}", name_, index_, offset));
  }
  ++index_;
  return std::optional(entry.value());
}

Result<ImageEntry> ImageReader::ReadEntry() {
  size_t offset = reader_.offset();
  CKPT_TRY(Bytes message, ReadFramedMessage());
  CKPT_TRY(Bytes extra, ReadExtra(message));
  return ImageEntry{index_, offset, message, extra};
}

Result<Bytes> ImageReader::ReadFramedMessage() {
  auto length = reader_.ReadU32();
  if (!length) return NoLengthError(reader_.remaining());
  auto message = reader_.ReadBytes(*length);
  if (message) return *message;
  return LengthError(*length, reader_.remaining());
}

Result<Bytes> ImageReader::ReadExtra(Bytes message) {
  const auto* descriptor = FindEntryDescriptor(info_->type, index_);
  CKPT_TRY(auto parsed, ParseMessageOf(*descriptor, message));
  CKPT_TRY(size_t size_bytes, ReadExtraSize(info_->extra, *parsed, Rest(reader_)));
  return *reader_.ReadBytes(size_bytes);
}

Result<ImageEntry> ImageReader::ReadLegacyPage() {
  size_t offset = reader_.offset();
  if (reader_.remaining() < kAddressBytes + kLegacyPageBytes) {
    return NoLegacyPageError(reader_.remaining());
  }
  Bytes address = *reader_.ReadBytes(kAddressBytes);
  return ImageEntry{index_, offset, address, *reader_.ReadBytes(kLegacyPageBytes)};
}

}  // namespace ckpt
