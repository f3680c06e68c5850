#include "formats/image_reader.h"

#include <vector>

#include "formats/extra.h"
#include "formats/image_message.h"

namespace ckpt {
namespace {

constexpr size_t kMagicBytes = 4;
constexpr size_t kLengthBytes = 4;
constexpr size_t kAddressBytes = 8;
constexpr size_t kPageBytes = 4096;

uint32_t PrefixMagic(MagicPrefix prefix) {
  return prefix == MagicPrefix::kService ? kServiceMagic : kCommonMagic;
}

// The remaining bytes without moving the reader.
Bytes Rest(const ByteReader& reader) {
  ByteReader copy = reader;
  return copy.ReadRest();
}

Result<uint32_t> ReadMagic(ByteReader& reader) {
  auto magic = reader.ReadU32();
  if (magic) return *magic;
  if (reader.offset() == 0 && reader.AtEnd()) {
    return MakeError(ErrorCode::kBadFormat, "empty file, a magic of {} bytes expected",
                     kMagicBytes);
  }
  return MakeError(ErrorCode::kBadFormat, "{} bytes at offset {}, a magic of {} bytes expected",
                   reader.remaining(), reader.offset(), kMagicBytes);
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
  auto header = image.ReadHeader();
  if (header.has_error()) return std::move(header).error().In(image.name_);
  return image;
}

Result<> ImageReader::ReadHeader() {
  CKPT_TRY(uint32_t magic, ReadMagic(reader_));
  bool prefixed = info_->prefix != MagicPrefix::kNone;
  if (prefixed && magic == PrefixMagic(info_->prefix)) {
    CKPT_TRY(magic, ReadMagic(reader_));
  } else if (prefixed) {
    version_ = HeaderVersion::kOld;
  }
  if (magic == info_->magic) return success();
  return MakeError(ErrorCode::kBadFormat, "magic {:#010x} at offset {}, {} has {:#010x}", magic,
                   reader_.offset() - kMagicBytes, info_->name, info_->magic);
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
  if (!length) {
    return MakeError(ErrorCode::kBadFormat, "{} bytes left, a length has {}", reader_.remaining(),
                     kLengthBytes);
  }
  auto message = reader_.ReadBytes(*length);
  if (message) return *message;
  return MakeError(ErrorCode::kBadFormat, "length {} runs {} bytes past the end of the file",
                   *length, *length - reader_.remaining());
}

Result<Bytes> ImageReader::ReadExtra(Bytes message) {
  const auto* descriptor = FindEntryDescriptor(info_->type, index_);
  CKPT_TRY(auto parsed, ParseMessageOf(*descriptor, message));
  CKPT_TRY(size_t size_bytes, ReadExtraSize(info_->extra, *parsed, Rest(reader_)));
  return *reader_.ReadBytes(size_bytes);
}

Result<ImageEntry> ImageReader::ReadLegacyPage() {
  size_t offset = reader_.offset();
  if (reader_.remaining() < kAddressBytes + kPageBytes) {
    return MakeError(ErrorCode::kBadFormat, "{} bytes left, an address and a page have {}",
                     reader_.remaining(), kAddressBytes + kPageBytes);
  }
  Bytes address = *reader_.ReadBytes(kAddressBytes);
  return ImageEntry{index_, offset, address, *reader_.ReadBytes(kPageBytes)};
}

}  // namespace ckpt
