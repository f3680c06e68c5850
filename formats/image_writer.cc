#include "formats/image_writer.h"

#include <limits>

#include "base/file.h"
#include "formats/extra.h"
#include "formats/image_message.h"

namespace ckpt {
namespace {

constexpr size_t kStreamBufferBytes = size_t{1} << 20;
constexpr mode_t kImageMode = 0644;

void AppendU32(uint32_t value, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace

ImageEncoder::ImageEncoder(ImageType type, HeaderVersion version) : info_(&GetImageType(type)) {
  CKPT_CHECK(info_->framing != ImageFraming::kRaw);
  if (version == HeaderVersion::kCurrent && info_->prefix != MagicPrefix::kNone) {
    AppendU32(info_->prefix == MagicPrefix::kService ? kServiceMagic : kCommonMagic, bytes_);
  }
  AppendU32(info_->magic, bytes_);
}

Result<> ImageEncoder::Append(const google::protobuf::Message& message, Bytes extra) {
  const auto* expected = FindEntryDescriptor(info_->type, index_);
  if (message.GetDescriptor() != expected) {
    return MakeError(ErrorCode::kInternal, "{} as entry {} of {}", message.GetDescriptor()->name(),
                     index_, info_->name);
  }
  CKPT_TRY(std::string encoded, SerializeMessage(message));
  CKPT_TRY(size_t extra_bytes, ReadExtraSize(info_->extra, message, extra));
  if (extra_bytes != extra.size()) {
    return MakeError(ErrorCode::kInternal, "extra of {} bytes where entry {} of {} says {}",
                     extra.size(), index_, info_->name, extra_bytes);
  }
  AppendOriginal(AsBytes(encoded), extra);
  return success();
}

void ImageEncoder::AppendOriginal(Bytes message, Bytes extra) {
  CKPT_CHECK(message.size() <= std::numeric_limits<uint32_t>::max());
  if (info_->framing != ImageFraming::kLegacyPages) {
    AppendU32(static_cast<uint32_t>(message.size()), bytes_);
  }
  bytes_.append(AsText(message)).append(AsText(extra));
  ++index_;
}

Result<> WriteImageFile(const std::string& path, const ImageEncoder& image) {
  return WriteWholeFile(path, AsBytes(image.bytes()), kImageMode);
}

Result<> ImageStreamWriter::Append(const google::protobuf::Message& message, Bytes extra) {
  CKPT_TRY(encoder_.Append(message, extra));
  return WriteWhenMuch();
}

Result<> ImageStreamWriter::AppendOriginal(Bytes message, Bytes extra) {
  encoder_.AppendOriginal(message, extra);
  return WriteWhenMuch();
}

Result<> ImageStreamWriter::Finish() { return WriteAll(fd_, AsBytes(encoder_.TakeBytes()), name_); }

Result<> ImageStreamWriter::WriteWhenMuch() {
  if (encoder_.bytes().size() < kStreamBufferBytes) return success();
  return Finish();
}

}  // namespace ckpt
