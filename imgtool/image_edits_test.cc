#include "imgtool/image_edits.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "formats/image_writer.h"
#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

// Field 31 of a file_entry and field 1000 of its reg are nobody's; in wire bytes, so that their
// order and their long encodings can be told apart from what an encoder would write.
constexpr std::string_view kUnknownOuter("\xfa\x01\x03xyz", 6);
constexpr std::string_view kUnknownInner("\xc0\x3e\x85\x80\x00", 5);

// An entry with unknown fields in front of and behind the known ones, and reg in the middle.
std::string OddEntry(const std::string& name) {
  pb::reg_file_entry file = SampleRegFile(3, name);
  file.set_mnt_id(22);
  file.set_size(10);
  const std::string reg = std::string(kUnknownInner) + file.SerializeAsString();
  std::string entry(kUnknownOuter);
  entry += std::string("\x10\x03", 2);                                    // id 3
  entry += "\x1a" + std::string(1, static_cast<char>(reg.size())) + reg;  // reg
  entry += std::string("\x08\x01", 2);                                    // type REG
  entry += std::string("\xfa\x01\x00", 3);
  return entry;
}

ImageFile SampleImage() {
  ImageEncoder encoder(ImageType::kFiles);
  encoder.AppendOriginal(AsBytes(OddEntry("/zero")), {});
  encoder.AppendOriginal(AsBytes(OddEntry("/d/ID/x")), {});
  encoder.AppendOriginal(AsBytes(OddEntry("/two")), {});
  return ImageFile::Parse("files.img", ImageType::kFiles, encoder.TakeBytes()).value();
}

Edit Set(size_t entry, std::string field, FieldValue value) {
  Edit edit;
  edit.place = {"files.img", entry};
  edit.field = std::move(field);
  edit.new_value = std::move(value);
  return edit;
}

Result<ImageFile> Apply(const std::vector<Edit>& edits) {
  std::vector<const Edit*> pointers;
  for (const Edit& edit : edits) pointers.push_back(&edit);
  CKPT_TRY(std::string bytes, EditImage(SampleImage(), pointers));
  return ImageFile::Parse("files.img", ImageType::kFiles, std::move(bytes));
}

TEST(ImageEditsTest, OnlyTheFieldAndTheLengthsAroundItChange) {
  const ImageFile edited = Apply({Set(1, "reg.name", std::string("/x"))}).value();
  ASSERT_EQ(edited.entries().size(), 3U);
  EXPECT_EQ(AsText(edited.entries()[0].message), OddEntry("/zero"));
  EXPECT_EQ(AsText(edited.entries()[1].message), OddEntry("/x"));
  EXPECT_EQ(AsText(edited.entries()[2].message), OddEntry("/two"));
}

TEST(ImageEditsTest, WithoutEditsTheImageIsTheSame) {
  EXPECT_EQ(AsText(Apply({}).value().bytes()), AsText(SampleImage().bytes()));
}

TEST(ImageEditsTest, FieldsAreEncodedAsTheirTypeSays) {
  const ImageFile edited =
      Apply({Set(1, "reg.mnt_id", int64_t{-1}), Set(1, "reg.size", int64_t{1} << 40),
             Set(1, "reg.mode", int64_t{0100644})})
          .value();
  const auto entry = ParseEntries<pb::file_entry>(edited).value()[1];
  EXPECT_EQ(entry.reg().mnt_id(), -1);
  EXPECT_EQ(entry.reg().size(), uint64_t{1} << 40);
  EXPECT_EQ(entry.reg().mode(), 0100644U);
  EXPECT_EQ(entry.reg().name(), "/d/ID/x");
}

TEST(ImageEditsTest, AnAbsentFieldIsGone) {
  const ImageFile edited = Apply({Set(1, "reg.mnt_id", FieldAbsent())}).value();
  EXPECT_FALSE(ParseEntries<pb::file_entry>(edited).value()[1].reg().has_mnt_id());
}

TEST(ImageEditsTest, ExtrasAreKept) {
  ImageEncoder encoder(ImageType::kPipesData);
  pb::pipe_data_entry pipe;
  pipe.set_pipe_id(1);
  pipe.set_bytes(4);
  ASSERT_TRUE(encoder.Append(pipe, AsBytes("data")));
  const ImageFile image =
      ImageFile::Parse("pipes-data.img", ImageType::kPipesData, encoder.TakeBytes()).value();
  Edit edit = Set(0, "pipe_id", int64_t{300});
  const std::vector<const Edit*> edits{&edit};
  const ImageFile edited =
      ImageFile::Parse("e", ImageType::kPipesData, EditImage(image, edits).value()).value();
  EXPECT_EQ(AsText(edited.entries()[0].extra), "data");
  EXPECT_EQ(ParseEntries<pb::pipe_data_entry>(edited).value()[0].pipe_id(), 300U);
}

TEST(ImageEditsTest, ImpossibleEditsAreOurOwnBug) {
  const auto message_of = [](const Edit& edit) { return Apply({edit}).error().message; };
  EXPECT_EQ(message_of(Set(3, "reg.name", std::string("/x"))),
            "files.img: entry 3: the image has 3 entries");
  EXPECT_EQ(message_of(Set(0, "reg.path", std::string("/x"))),
            "files.img: entry 0: ckpt.pb.reg_file_entry has no field path");
  EXPECT_EQ(message_of(Set(0, "reg.name", int64_t{1})),
            "files.img: entry 0: ckpt.pb.reg_file_entry.name cannot be 1");
  EXPECT_EQ(Apply({Set(0, "reg.name", int64_t{1})}).error().code, ErrorCode::kInternal);
}

TEST(ImageEditsTest, AResultThatIsNoImageIsNotReturned) {
  const auto edited = Apply({Set(1, "reg.name", FieldAbsent())});
  ASSERT_TRUE(edited.has_error());
  EXPECT_NE(edited.error().message.find("files.img (edited)"), std::string::npos)
      << edited.error().message;
}

}  // namespace
}  // namespace ckpt
