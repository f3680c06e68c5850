// The images of the dumps that the interop tests make, as files: read and written back, and shown.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "formats/dump_directory.h"
#include "formats/image_file.h"
#include "formats/image_writer.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/interop/dumped_program.h"

namespace ckpt {
namespace {

// Exit status of compare_with_crit.py.
constexpr int kNoCrit = 3;

bool HasEntries(ImageType type) { return GetImageType(type).framing != ImageFraming::kRaw; }

// What a reader and a writer make of an image that nobody edits.
std::string WrittenBack(const ImageFile& image) {
  ImageEncoder encoder(image.type(), image.header_version());
  for (const ImageEntry& entry : image.entries()) {
    encoder.AppendOriginal(entry.message, entry.extra);
  }
  return encoder.TakeBytes();
}

Result<> CheckWrittenBack(const DumpDirectory& dump, int* compared) {
  for (const DumpImage& listed : dump.images()) {
    if (!HasEntries(listed.image.type)) continue;
    CKPT_TRY(const ImageFile image, dump.Read(listed.image.type, listed.image.id));
    EXPECT_EQ(AsText(AsBytes(WrittenBack(image))), AsText(image.bytes())) << listed.file_name;
    ++*compared;
  }
  return success();
}

std::vector<const DumpedProgram*> DumpsBy(Engine dumper) {
  std::vector<const DumpedProgram*> dumps;
  for (const ProgramCase& program : ProgramCases()) {
    if (!WhyNotDumped(program, dumper).empty()) continue;
    const Result<DumpedProgram>& dump = DumpOnce(program, dumper);
    if (dump.has_error()) {
      ADD_FAILURE() << dump.error().message;
    } else {
      dumps.push_back(&dump.value());
    }
  }
  return dumps;
}

class Images : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    const Result<> available = CheckAvailable(GetParam());
    if (available.has_error()) GTEST_SKIP() << available.error().message;
  }
};

TEST_P(Images, EachOneReadAndWrittenBackUntouchedIsIdentical) {
  int compared = 0;
  for (const DumpedProgram* program : DumpsBy(GetParam())) {
    const Result<DumpDirectory> dump = DumpDirectory::Open(program->images());
    ASSERT_TRUE(dump.has_value()) << dump.error().message;
    const Result<> checked = CheckWrittenBack(dump.value(), &compared);
    EXPECT_TRUE(checked.has_value()) << checked.error().message;
  }
  EXPECT_GT(compared, 100);
}

TEST_P(Images, EachOneIsShownAsCritDecodesItPlainAndPretty) {
  std::vector<std::string> command = {"/usr/bin/python3",
                                      RunfilePath("tests/interop/compare_with_crit.py"),
                                      RunfilePath("imgtool/imgtool")};
  for (const DumpedProgram* program : DumpsBy(GetParam())) command.push_back(program->images());
  const Result<CommandResult> result = RunCommand(command);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  if (result.value().exit_status == kNoCrit) GTEST_SKIP() << result.value().errors;
  EXPECT_EQ(result.value().exit_status, 0) << result.value().output << result.value().errors;
}

INSTANTIATE_TEST_SUITE_P(DumpedBy, Images, testing::Values(Engine::kOurs, Engine::kCriu),
                         [](const auto& engine) { return std::string(Name(engine.param)); });

}  // namespace
}  // namespace ckpt
