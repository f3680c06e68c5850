#include "imgtool/image_source.h"

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

class ImageSourceTest : public DirectoryFixture {};

constexpr std::string_view kFs("\x19\x43\x56\x54\x12\x39\x40\x51\x06\0\0\0\x08\x04\x10\x04\x18\x12",
                               18);

TEST_F(ImageSourceTest, ADirectoryAndAnArchiveInMemoryReadAlike) {
  Put("fs-2.img", kFs);
  Put("note", "text");
  const ImageSource here = ImageSource::OfDirectory(directory_).value();
  const ImageSource there =
      ImageSource::OfMembers("a.tar", {{"fs-2.img", std::string(kFs)}, {"note", "text"}});
  for (const ImageSource* images : {&here, &there}) {
    EXPECT_EQ(images->file_names(), (std::vector<std::string>{"fs-2.img", "note"}));
    EXPECT_TRUE(images->Has("note"));
    EXPECT_FALSE(images->Has("fs-3.img"));
    EXPECT_EQ(images->Read("fs-2.img").value().entries().size(), 1U);
    EXPECT_EQ(images->ReadBytes("note", 4).value(), "text");
    EXPECT_EQ(images->ReadBytes("note", 3).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(images->Read("fs-3.img").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(images->Read("note").error().code, ErrorCode::kBadFormat);
  }
}

TEST_F(ImageSourceTest, AMemberThatIsTooBigIsThereButNotRead) {
  const ImageSource images = ImageSource::OfMembers("a.tar", {{"pages-1.img", std::nullopt}});
  EXPECT_TRUE(images.Has("pages-1.img"));
  EXPECT_EQ(images.ReadBytes("pages-1.img", 10).error().message,
            "a.tar/pages-1.img: more than the 10 bytes allowed");
}

}  // namespace
}  // namespace ckpt
