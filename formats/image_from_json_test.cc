#include "formats/image_from_json.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>

#include "formats/image_writer.h"
#include "formats/json_image.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/sample_image.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;

struct Encoded {
  std::string image;
  std::string error;
};

Encoded Encode(std::string_view json) {
  MemorySource source(AsBytes(json));
  Encoded encoded;
  const Result<> done = WriteImageFromJson("x.json", source, [&](Bytes bytes) -> Result<> {
    encoded.image += AsText(bytes);
    return success();
  });
  if (!done) encoded.error = done.error().message;
  return encoded;
}

std::string Decode(ImageType type, std::string_view image, JsonImageOptions options = {}) {
  std::ostringstream out;
  const bool indented = options.spelling == JsonStyle::kPretty && !options.lines;
  JsonText text(out, indented ? JsonStyle::kPretty : JsonStyle::kPlain);
  JsonImageWriter writer(text, std::move(options));
  MemorySource source(AsBytes(image));
  const Result<> done = writer.Write("it.img", type, source);
  EXPECT_TRUE(done) << done.error().message;
  text.Flush();
  return out.str();
}

constexpr JsonStyle kStyles[] = {JsonStyle::kPlain, JsonStyle::kPretty};

TEST(WriteImageFromJson, RestoresAnImageOfEveryTypeInEverySpelling) {
  for (const ImageType type : TypesWithEntries()) {
    const std::string image = SampleImage(type);
    for (const JsonStyle style : kStyles) {
      for (const bool lines : {false, true}) {
        for (const size_t threads : {1, 2}) {
          const Encoded encoded = Encode(
              Decode(type, image,
                     {.spelling = style, .lines = lines, .lossless = true, .threads = threads}));
          EXPECT_EQ(encoded.error, "") << GetImageType(type).name;
          EXPECT_EQ(encoded.image, image) << GetImageType(type).name;
        }
      }
    }
  }
}

TEST(WriteImageFromJson, RestoresAHeaderOfVersion1OnlyWithLossless) {
  for (const ImageType type : TypesWithEntries()) {
    const std::string image = SampleImage(type, HeaderVersion::kOld);
    EXPECT_EQ(Encode(Decode(type, image, {.lossless = true})).image, image);
    EXPECT_EQ(Encode(Decode(type, image)).image.size(), SampleImage(type).size());
  }
}

}  // namespace
}  // namespace ckpt
