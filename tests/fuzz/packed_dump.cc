#include "tests/fuzz/packed_dump.h"

#include <algorithm>

#include "formats/image_type.h"

namespace ckpt {
namespace {

constexpr unsigned char kTextMark = 255;

}  // namespace

std::string PackFuzzInput(const FuzzFiles& files, const std::string& text) {
  std::string packed;
  for (const auto& [name, bytes] : files) {
    const ImageName image = FindImageTypeByFileName(name).value();
    packed += static_cast<char>(image.type);
    packed += static_cast<char>(image.id);
    packed += static_cast<char>(bytes.size() >> 8);
    packed += static_cast<char>(bytes.size() & 0xff);
    packed += bytes;
  }
  return packed + static_cast<char>(kTextMark) + text;
}

UnpackedDump UnpackFuzzInput(std::string_view bytes) {
  UnpackedDump dump;
  const auto number = [&](size_t at) { return static_cast<unsigned char>(bytes[at]); };
  while (bytes.size() >= 4 && number(0) != kTextMark) {
    const ImageTypeInfo& type = ImageTypes()[number(0) % ImageTypes().size()];
    const size_t length = std::min<size_t>(number(2) * 256U + number(3), bytes.size() - 4);
    dump.files[ImageFileName(type.type, number(1))] = std::string(bytes.substr(4, length));
    bytes.remove_prefix(4 + length);
  }
  if (!bytes.empty()) dump.text = bytes.substr(1);
  return dump;
}

}  // namespace ckpt
