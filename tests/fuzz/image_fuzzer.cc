// An image of any type: the first byte is its type, the second how it is shown, the rest its bytes.
#include <rapidjson/document.h>

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "base/byte_reader.h"
#include "formats/image_reader.h"
#include "formats/image_type.h"
#include "formats/image_writer.h"
#include "formats/json_image.h"

namespace ckpt {
namespace {

// What is read to its end is written back as it was.
void ReadAndWriteBack(ImageType type, Bytes bytes) {
  auto reader = ImageReader::Open("fuzzed", type, bytes);
  if (reader.has_error()) return;
  ImageEncoder encoder(type, reader.value().header_version());
  while (true) {
    const auto entry = reader.value().Next();
    if (entry.has_error()) return;
    if (!entry.value().has_value()) break;
    encoder.AppendOriginal(entry.value()->message, entry.value()->extra);
  }
  CKPT_CHECK(encoder.bytes() == AsText(bytes));
}

void ExpectJson(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  CKPT_CHECK(!document.HasParseError());
}

// Whatever the image, what is shown of it is JSON.
void Show(ImageType type, unsigned how, Bytes bytes) {
  const JsonStyle style = (how & 1) != 0 ? JsonStyle::kPretty : JsonStyle::kPlain;
  const bool lines = (how & 2) != 0;
  std::ostringstream out;
  JsonText text(out, lines ? JsonStyle::kPlain : style);
  JsonImageWriter writer(text, {.spelling = style, .lines = lines, .lossless = (how & 4) != 0});
  (void)writer.Write("fuzzed", type, bytes);
  text.Flush();
  if (!lines) return ExpectJson(out.str());
  std::istringstream rows(out.str());
  for (std::string row; std::getline(rows, row);) ExpectJson(row);
}

}  // namespace
}  // namespace ckpt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace ckpt;
  if (size_bytes < 2) return 0;
  const ImageTypeInfo& type = ImageTypes()[data[0] % ImageTypes().size()];
  const Bytes bytes(reinterpret_cast<const std::byte*>(data) + 2, size_bytes - 2);
  (void)IdentifyImage("fuzzed", bytes);
  if (type.framing != ImageFraming::kRaw) ReadAndWriteBack(type.type, bytes);
  Show(type.type, data[1], bytes);
  return 0;
}
