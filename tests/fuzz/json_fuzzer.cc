// JSON of images, both ways. The first byte says which: with bit 0 an image, of the type in the
// second byte, is decoded and encoded again; else the rest is a text that is encoded, and what
// comes of it goes the other way once. The other bits say how the JSON is written.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "formats/byte_source.h"
#include "formats/image_from_json.h"
#include "formats/image_reader.h"
#include "formats/image_type.h"
#include "formats/json_image.h"

namespace ckpt {
namespace {

std::optional<std::string> Encode(std::string_view json) {
  MemorySource source(AsBytes(json));
  std::string image;
  const auto encoded = WriteImageFromJson("fuzzed", source, [&](Bytes bytes) -> Result<> {
    image += AsText(bytes);
    return success();
  });
  if (encoded.has_error()) return std::nullopt;
  return image;
}

// What can be decoded, and says that nothing is lost or has it carried along, gives the very bytes.
void DecodeAndEncode(ImageType type, unsigned how, Bytes image) {
  const JsonStyle style = (how & 2) != 0 ? JsonStyle::kPretty : JsonStyle::kPlain;
  const bool lines = (how & 4) != 0;
  const bool lossless = (how & 8) != 0;
  std::ostringstream out;
  JsonText text(out, lines ? JsonStyle::kPlain : style);
  JsonImageWriter writer(text, {.spelling = style, .lines = lines, .lossless = lossless});
  const auto decoded = writer.Write("fuzzed", type, image);
  text.Flush();
  const std::optional<std::string> encoded = Encode(out.str());
  if (decoded.has_error()) {
    CKPT_CHECK(!encoded.has_value());
  } else if (lossless || writer.inexact().empty()) {
    CKPT_CHECK(encoded.has_value());
    CKPT_CHECK(*encoded == AsText(image));
  }
}

void EncodeAndDecode(unsigned how, std::string_view json) {
  const std::optional<std::string> image = Encode(json);
  if (!image.has_value()) return;
  const auto type = IdentifyImage("encoded", AsBytes(*image));
  CKPT_CHECK(type.has_value());
  DecodeAndEncode(type.value(), how | 8, AsBytes(*image));
}

}  // namespace
}  // namespace ckpt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace ckpt;
  if (size_bytes < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data), size_bytes);
  const ImageTypeInfo& type = ImageTypes()[data[1] % ImageTypes().size()];
  if ((data[0] & 1) == 0) {
    EncodeAndDecode(data[0], rest.substr(1));
  } else if (type.framing != ImageFraming::kRaw) {
    DecodeAndEncode(type.type, data[0], AsBytes(rest.substr(2)));
  }
  return 0;
}
