// Dumps by CRIU with every type of image that it can be brought to write here: each image is read
// and written back, shown as crit decodes it, decoded and encoded, and checked.
#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "formats/byte_source.h"
#include "formats/dump_directory.h"
#include "formats/image_file.h"
#include "formats/image_from_json.h"
#include "formats/image_writer.h"
#include "formats/json_image.h"
#include "formats/proto/files.pb.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/images/matrix_dumps.h"

namespace ckpt {
namespace {

// Exit status of compare_with_crit.py.
constexpr int kNoCrit = 3;

std::vector<MatrixDump> Dumps(bool refused) {
  std::vector<MatrixDump> dumps;
  for (const MatrixDump& dump : MatrixDumps()) {
    if (dump.refusal.empty() != refused) dumps.push_back(dump);
  }
  return dumps;
}

std::string NameOf(const testing::TestParamInfo<MatrixDump>& info) { return info.param.name; }

class ImageMatrix : public testing::TestWithParam<MatrixDump> {
 protected:
  void SetUp() override {
    const Result<> available = CheckAvailable(Engine::kCriu);
    if (available.has_error()) GTEST_SKIP() << available.error().message;
    const Result<std::string>& images = DumpedOnce(GetParam());
    ASSERT_TRUE(images.has_value()) << images.error().message;
    images_ = images.value();
  }

  std::string images_;
};

std::string WrittenBack(const ImageFile& image) {
  ImageEncoder encoder(image.type(), image.header_version());
  for (const ImageEntry& entry : image.entries()) {
    encoder.AppendOriginal(entry.message, entry.extra);
  }
  return encoder.TakeBytes();
}

TEST_P(ImageMatrix, EachImageReadAndWrittenBackUntouchedIsIdentical) {
  const Result<DumpDirectory> dump = DumpDirectory::Open(images_);
  ASSERT_TRUE(dump.has_value()) << dump.error().message;
  for (const DumpImage& listed : dump.value().images()) {
    if (GetImageType(listed.image.type).framing == ImageFraming::kRaw) continue;
    const auto image = dump.value().Read(listed.image.type, listed.image.id);
    ASSERT_TRUE(image.has_value()) << image.error().message;
    EXPECT_EQ(AsText(AsBytes(WrittenBack(image.value()))), AsText(image.value().bytes()))
        << listed.file_name;
  }
}

TEST_P(ImageMatrix, EachImageIsShownAsCritDecodesItPlainAndPretty) {
  const Result<CommandResult> result =
      RunCommand({"/usr/bin/python3", RunfilePath("tests/interop/compare_with_crit.py"),
                  RunfilePath("imgtool/imgtool"), images_});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  if (result.value().exit_status == kNoCrit) GTEST_SKIP() << result.value().errors;
  EXPECT_EQ(result.value().exit_status, 0) << result.value().output << result.value().errors;
}

// What decode makes of an image, and encode of that.
Result<std::string> DecodedAndEncoded(const ImageFile& image, JsonStyle style) {
  std::ostringstream out;
  JsonText text(out, style);
  JsonImageWriter writer(text, style);
  CKPT_TRY(writer.Write(image.name(), image.type(), image.bytes()));
  text.Flush();
  EXPECT_TRUE(writer.inexact().empty()) << image.name();
  const std::string json = out.str();
  MemorySource source(AsBytes(json));
  std::string encoded;
  CKPT_TRY(WriteImageFromJson(image.name(), source, [&](Bytes bytes) -> Result<> {
    encoded += AsText(bytes);
    return success();
  }));
  return encoded;
}

TEST_P(ImageMatrix, EachImageDecodedAndEncodedIsIdentical) {
  const Result<DumpDirectory> dump = DumpDirectory::Open(images_);
  ASSERT_TRUE(dump.has_value()) << dump.error().message;
  for (const DumpImage& listed : dump.value().images()) {
    if (GetImageType(listed.image.type).framing == ImageFraming::kRaw) continue;
    const auto image = dump.value().Read(listed.image.type, listed.image.id);
    ASSERT_TRUE(image.has_value()) << image.error().message;
    for (const JsonStyle style : {JsonStyle::kPlain, JsonStyle::kPretty}) {
      const auto encoded = DecodedAndEncoded(image.value(), style);
      ASSERT_TRUE(encoded.has_value()) << encoded.error().message;
      EXPECT_TRUE(encoded.value() == AsText(image.value().bytes())) << listed.file_name;
    }
  }
}

TEST_P(ImageMatrix, CheckFindsNothing) {
  const auto result = RunCommand({RunfilePath("imgtool/imgtool"), "check", images_});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result.value().exit_status, 0) << result.value().output << result.value().errors;
}

INSTANTIATE_TEST_SUITE_P(Of, ImageMatrix, testing::ValuesIn(Dumps(false)), NameOf);

class RefusedDump : public testing::TestWithParam<MatrixDump> {};

// The reason why some types are not covered below. Where this fails, they can be.
TEST_P(RefusedDump, IsWhatCriuCannotDumpHere) {
  const Result<> available = CheckAvailable(Engine::kCriu);
  if (available.has_error()) GTEST_SKIP() << available.error().message;
  const Result<std::string>& images = DumpedOnce(GetParam());
  ASSERT_TRUE(images.has_error());
  EXPECT_THAT(images.error().message, testing::HasSubstr(GetParam().refusal));
}

INSTANTIATE_TEST_SUITE_P(Of, RefusedDump, testing::ValuesIn(Dumps(true)), NameOf);

// Why CRIU does not write an image of a type here, beside the legacy types, which it only reads.
const std::map<ImageType, std::string_view> kNotWritten = {
    {ImageType::kTmpfsImg, "CRIU only reads it; it writes TMPFS_DEV"},
    {ImageType::kBinfmtMisc,
     "only a CRIU built for kernels with virtual binfmt_misc of their own writes it; this one "
     "passes over the formats of user_namespace"},
    {ImageType::kBpfmapData,
     "this CRIU is built without libbpf: \"Can't dump file 3 of that type [600] (anon "
     "anon_inode:bpf-map)\""},
    {ImageType::kApparmor, "the kernel has no AppArmor"},
    {ImageType::kIrmapCache,
     "written by pre-dump, which needs soft-dirty pages: \"Tracking memory is not available\", or "
     "without --track-mem \"BUG at criu/mem.c:45\""},
};

std::string_view WhyNotWritten(const ImageTypeInfo& type) {
  if (type.own) return "ckpt-dump's own, not CRIU's";
  if (type.doc.starts_with("legacy")) return type.doc;
  const auto found = kNotWritten.find(type.type);
  return found == kNotWritten.end() ? "" : found->second;
}

// What the dumps have: of each type, and of each kind of descriptor in files.img, one that has it.
struct Coverage {
  std::map<ImageType, std::string> types;
  std::map<int, std::string> descriptors;
};

Result<Coverage> FindCoverage() {
  Coverage coverage;
  for (const MatrixDump& made : Dumps(false)) {
    CKPT_TRY(const std::string path, DumpedOnce(made));
    CKPT_TRY(const DumpDirectory dump, DumpDirectory::Open(path));
    for (const DumpImage& image : dump.images()) {
      if (std::filesystem::file_size(path + "/" + image.file_name) == 0) continue;
      coverage.types.emplace(image.image.type, made.name);
    }
    CKPT_TRY(const auto files, dump.ReadAllIfPresent<pb::file_entry>(ImageType::kFiles));
    for (const pb::file_entry& file : files) coverage.descriptors.emplace(file.type(), made.name);
  }
  return coverage;
}

class Covered : public testing::Test {
 protected:
  void SetUp() override {
    const Result<> available = CheckAvailable(Engine::kCriu);
    if (available.has_error()) GTEST_SKIP() << available.error().message;
    Result<Coverage> found = FindCoverage();
    ASSERT_TRUE(found.has_value()) << found.error().message;
    coverage_ = std::move(found).value();
  }

  Coverage coverage_;
};

TEST_F(Covered, EveryTypeThatCriuCanWriteHere) {
  for (const ImageTypeInfo& type : ImageTypes()) {
    const auto found = coverage_.types.find(type.type);
    const std::string_view why_not = WhyNotWritten(type);
    const bool is_written = found != coverage_.types.end();
    fmt::print("{:<16} {}\n", type.name, is_written ? "in the dump of " + found->second : why_not);
    EXPECT_NE(is_written, !why_not.empty()) << type.name;
  }
}

TEST_F(Covered, EveryKindOfDescriptorThatCriuCanWriteHere) {
  // EXT is for plugins; the last two are made at restore.
  const std::set<int> not_written = {pb::EXT, pb::BPFMAP, pb::CTL_TTY, pb::AUTOFS_PIPE};
  for (int kind = pb::fd_types_MIN; kind <= pb::fd_types_MAX; ++kind) {
    if (!pb::fd_types_IsValid(kind) || kind == pb::UND) continue;
    const bool is_written = coverage_.descriptors.count(kind) > 0;
    EXPECT_NE(is_written, not_written.count(kind) > 0)
        << pb::fd_types_Name(static_cast<pb::fd_types>(kind));
  }
}

}  // namespace
}  // namespace ckpt
