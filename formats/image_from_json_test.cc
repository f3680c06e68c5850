#include "formats/image_from_json.h"

#include <fmt/format.h>
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

// A pagemap of a head and these bytes as its entry.
std::string Pagemap(std::string_view entry) {
  ImageEncoder encoder(ImageType::kPagemap);
  encoder.AppendOriginal(AsBytes("\x08\x01"), {});
  encoder.AppendOriginal(AsBytes(entry), {});
  return encoder.TakeBytes();
}

TEST(WriteImageFromJson, RestoresEntriesThatNoProtobufWroteOnlyWithLossless) {
  for (const std::string& entry :
       {"\x10\x01\x08\x01"s, "\x08\x01\x10\x01\x10\x02"s, "\x08\x01\x10\x01\xf8\x07\x05"s,
        "\x08\x81\0\x10\x01"s, "\x08\x01\x10\xff\xff\xff\xff\x1f"s}) {
    const std::string image = Pagemap(entry);
    EXPECT_NE(Encode(Decode(ImageType::kPagemap, image)).image, image);
    for (const size_t threads : {1, 2}) {
      const std::string json =
          Decode(ImageType::kPagemap, image, {.lossless = true, .threads = threads});
      const Encoded encoded = Encode(json);
      EXPECT_EQ(encoded.error, "") << json;
      EXPECT_EQ(encoded.image, image) << json;
    }
  }
}

TEST(WriteImageFromJson, RefusesBytesThatSaySomethingElseThanTheirFields) {
  const std::string json = R"({"magic": "FS", "entries": [{"cwd_id": 1, "root_id": 3, )"
                           R"("raw": "EAIIAQ=="}]})";
  EXPECT_EQ(Encode(json).error,
            "x.json: line 1, column 74: entries[0]: raw says something else than the fields beside "
            "it: one of them has to go");
}

TEST(WriteImageFromJson, RestoresOddPaddingOnlyWithLossless) {
  pb::ipc_msg_entry queue;
  pb::ipc_desc_entry& desc = *queue.mutable_desc();
  desc.set_key(1);
  desc.set_uid(0);
  desc.set_gid(0);
  desc.set_cuid(0);
  desc.set_cgid(0);
  desc.set_mode(0);
  desc.set_id(7);
  queue.set_qbytes(9);
  queue.set_qnum(2);
  const std::string message = "\x04\0\0\0\x08\x01\x10\x03"s + "abc";
  ImageEncoder encoder(ImageType::kIpcnsMsg);
  ASSERT_TRUE(
      encoder.Append(queue, AsBytes(message + "odd!!" + message + "\0\0\0\0\0"s)).has_value());
  const std::string image = encoder.TakeBytes();
  EXPECT_EQ(Encode(Decode(ImageType::kIpcnsMsg, image, {.lossless = true})).image, image);
  EXPECT_NE(Encode(Decode(ImageType::kIpcnsMsg, image)).image, image);
}

std::string ErrorOf(std::string_view json) { return Encode(json).error; }

// Of an entry of FS; the column of its errors is that of the entry plus 31.
std::string EntryError(const std::string& entry) {
  return ErrorOf(R"({"magic": "FS", "entries": [)" + entry + "]}");
}

TEST(WriteImageFromJson, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(EntryError(R"({"cwd_id": 1, "rot_id": 2})"),
            "x.json: line 1, column 43: entries[0]: \"rot_id\" is no field of fs_entry");
  EXPECT_EQ(EntryError(R"({"cwd_id": 1})"),
            "x.json: line 1, column 41: entries[0]: fs_entry without required root_id");
  EXPECT_EQ(EntryError(R"({"cwd_id": 4294967296, "root_id": 2})"),
            "x.json: line 1, column 40: entries[0].cwd_id: 4294967296 where 0 to 4294967295 is "
            "allowed");
  EXPECT_EQ(EntryError(R"({"cwd_id": -1, "root_id": 2})"),
            "x.json: line 1, column 40: entries[0].cwd_id: -1 where 0 to 4294967295 is allowed");
  EXPECT_EQ(EntryError(R"({"cwd_id": true, "root_id": 2})"),
            "x.json: line 1, column 40: entries[0].cwd_id: 't' where a whole number is expected");
  EXPECT_EQ(
      EntryError(R"({"cwd_id": "one", "root_id": 2})"),
      "x.json: line 1, column 40: entries[0].cwd_id: \"one\" where a whole number is allowed");
  EXPECT_EQ(EntryError(R"({"cwd_id": 1, "cwd_id": 1, "root_id": 2})"),
            "x.json: line 1, column 43: entries[0]: the key \"cwd_id\" twice");
  EXPECT_EQ(EntryError(R"({"cwd_id": 1.5})"),
            "x.json: line 1, column 40: entries[0].cwd_id: a number with a fraction or an exponent "
            "where a whole one is expected");
}

TEST(WriteImageFromJson, SaysWhereInNestedMessages) {
  EXPECT_EQ(
      ErrorOf("{\n  \"magic\": \"FILES\",\n  \"entries\": [\n    {\"type\": \"REG\", \"id\": 1, "
              "\"reg\": {\"id\": 1,\n      \"pos\": \"x\"}}]}"),
      "x.json: line 5, column 14: entries[0].reg.pos: \"x\" where a whole number is allowed");
  EXPECT_EQ(ErrorOf(R"({"magic": "FILES", "entries": [{"type": "REGG", "id": 1}]})"),
            "x.json: line 1, column 41: entries[0].type: \"REGG\" is no name of this enum");
}

TEST(WriteImageFromJson, RefusesWhatIsNoImage) {
  EXPECT_EQ(ErrorOf(""), "x.json: line 1, column 1: the text ends where an object is expected");
  EXPECT_EQ(ErrorOf("{}"), "x.json: line 1, column 2: an object without the key \"magic\"");
  EXPECT_EQ(ErrorOf(R"({"magic": "FSS"})"),
            "x.json: line 1, column 11: magic: \"FSS\" is no magic of the format");
  EXPECT_EQ(ErrorOf(R"({"magic": "PAGES"})"),
            "x.json: line 1, column 11: magic: \"PAGES\" is no magic of the format");
  EXPECT_EQ(ErrorOf(R"({"entries": []})"),
            "x.json: line 1, column 2: \"entries\" stands before \"magic\"");
  EXPECT_EQ(ErrorOf(R"({"magic": "FS", "entries": []} x)"),
            "x.json: line 1, column 32: 'x' where a value is expected");
  EXPECT_EQ(
      ErrorOf(R"({"magic": "FS", "entries": [], "error": "cut"})"),
      "x.json: line 1, column 41: error: this is what could be read of a damaged image: \"cut\"");
  EXPECT_EQ(ErrorOf(R"({"raw": true, "type": "ROUTE", "size_bytes": 5})"),
            "x.json: line 1, column 47: a raw image without its bytes, as show prints it; decode "
            "has them in extra");
}

TEST(WriteImageFromJson, RefusesPayloadsOfAnotherLengthThanTheirEntrySays) {
  EXPECT_EQ(ErrorOf(R"({"magic": "PIPES_DATA", "entries": [{"pipe_id": 1, "bytes": 5, )"
                    R"("extra": "YWJj\n"}]})"),
            "x.json: line 1, column 81: entries[0]: extra has 3 bytes, its entry says 5");
  EXPECT_EQ(ErrorOf(R"({"magic": "PIPES_DATA", "entries": [{"pipe_id": 1, "bytes": 5}]})"),
            "x.json: line 1, column 62: entries[0]: extra has 0 bytes, its entry says 5");
}

TEST(WriteImageFromJson, TakesKeysInAnyOrder) {
  EXPECT_EQ(ErrorOf(R"({"magic": "PIPES_DATA", "entries": [{"extra": "YWJj\n", )"
                    R"("bytes": 3, "pipe_id": 1}]})"),
            "");
  EXPECT_EQ(Encode(R"({"magic": "FS", "entries": [{"root_id": 2, "cwd_id": 1}]})").image,
            Encode(R"({"magic": "FS", "entries": [{"cwd_id": 1, "root_id": 2}]})").image);
}

TEST(WriteImageFromJson, TakesWhatCritSpellsPretty) {
  const Encoded encoded = Encode(
      R"({"magic": "PAGEMAP", "entries": [{"pages_id": 1}, )"
      R"({"vaddr": "0x1000", "compat_nr_pages": 2, "flags": "PE_PARENT | PE_PRESENT | 0x10"}]})");
  EXPECT_EQ(encoded.error, "");
  EXPECT_EQ(encoded.image, Pagemap("\x08\x80\x20\x10\x02\x20\x15"));
}

TEST(WriteImageFromJson, KnowsTheNameThatAnOldCritHasForTheCountOfPages) {
  EXPECT_EQ(Encode(R"({"magic": "PAGEMAP", "entries": [{"pages_id": 1}, )"
                   R"({"vaddr": 1, "nr_pages": 2, "flags": 4}]})")
                .image,
            Pagemap("\x08\x01\x10\x02\x20\x04"));
}

TEST(WriteImageFromJson, RestoresPayloadsThatAreTooLongToBeHeld) {
  for (const size_t size :
       {kMaxHeldExtraBytes, kMaxHeldExtraBytes + 1, 3 * kMaxHeldExtraBytes + 2}) {
    pb::ghost_file_entry ghost;
    ghost.set_uid(0);
    ghost.set_gid(0);
    ghost.set_mode(33188);
    ImageEncoder encoder(ImageType::kGhostFile);
    ASSERT_TRUE(encoder.Append(ghost, AsBytes(std::string(size, 'g'))).has_value());
    const std::string image = encoder.TakeBytes();
    for (const JsonStyle style : kStyles) {
      const Encoded encoded = Encode(Decode(ImageType::kGhostFile, image, {.spelling = style}));
      EXPECT_EQ(encoded.error, "");
      EXPECT_TRUE(encoded.image == image) << size;
    }
  }
}

TEST(WriteImageFromJson, RestoresRawImages) {
  std::ostringstream out;
  JsonText text(out, JsonStyle::kPlain);
  JsonImageWriter writer(text, JsonStyle::kPlain);
  const std::string bytes = "\0\1raw bytes\xff"s;
  MemorySource source(AsBytes(bytes));
  ASSERT_TRUE(writer.WriteRawContent(ImageType::kRoute, source));
  text.Flush();
  EXPECT_EQ(out.str(), R"({"raw": true, "type": "ROUTE", "size_bytes": 12, )"
                       R"("extra": "AAFyYXcgYnl0ZXP/\n"})");
  EXPECT_EQ(Encode(out.str()).image, bytes);
}

// A damaged text gives an error, or an image that decodes to what that text says.
void ExpectSound(ImageType type, const std::string& json, const std::string& what) {
  const Encoded encoded = Encode(json);
  if (!encoded.error.empty()) {
    EXPECT_TRUE(encoded.error.starts_with("x.json: line ")) << what << ": " << encoded.error;
    return;
  }
  MemorySource source(AsBytes(encoded.image));
  std::ostringstream out;
  JsonText text(out, JsonStyle::kPlain);
  JsonImageWriter writer(text, JsonStyle::kPlain);
  // Another magic is that of another type.
  if (encoded.image.substr(0, 8) != SampleImage(type).substr(0, 8)) return;
  const Result<> done = writer.Write("it.img", type, source);
  EXPECT_TRUE(done) << what << ": " << done.error().message;
}

TEST(WriteImageFromJson, MeetsEveryPrefixOfTheJsonOfEveryType) {
  for (const ImageType type : TypesWithEntries()) {
    const std::string json = Decode(type, SampleImage(type), {.spelling = JsonStyle::kPretty});
    const std::string_view name = GetImageType(type).name;
    const size_t end = json.find_last_of('}');
    for (size_t size = 0; size < end; size += json.size() < 3000 ? 1 : 41) {
      EXPECT_NE(Encode(json.substr(0, size)).error, "") << name << " " << size;
    }
  }
}

TEST(WriteImageFromJson, MeetsEveryFlippedBitInTheJsonOfEveryType) {
  for (const ImageType type : TypesWithEntries()) {
    const std::string json = Decode(type, SampleImage(type));
    const size_t step = json.size() < 1000 ? 1 : json.size() / 500;
    for (size_t at = 0; at < json.size(); at += step) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = json;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        ExpectSound(type, damaged, fmt::format("{} {} {}", GetImageType(type).name, at, bit));
      }
    }
  }
}

// Decode meets every flipped bit, too: what it shows without an error can be encoded, and with
// --lossless gives the damaged image back.
TEST(WriteImageFromJson, RestoresWhatDecodeAcceptsOfImagesWithFlippedBits) {
  for (const ImageType type : TypesWithEntries()) {
    const std::string image = SampleImage(type);
    const size_t step = image.size() < 400 ? 1 : image.size() / 300;
    for (size_t at = 8; at < image.size(); at += step) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = image;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        std::ostringstream out;
        JsonText text(out, JsonStyle::kPlain);
        JsonImageWriter writer(text, JsonImageOptions{.lossless = true});
        MemorySource source(AsBytes(damaged));
        const Result<> done = writer.Write("it.img", type, source);
        text.Flush();
        if (!done) continue;
        const Encoded encoded = Encode(out.str());
        const std::string what = fmt::format("{} {} {}", GetImageType(type).name, at, bit);
        EXPECT_EQ(encoded.error, "") << what;
        EXPECT_TRUE(encoded.image == damaged) << what;
      }
    }
  }
}

}  // namespace
}  // namespace ckpt
