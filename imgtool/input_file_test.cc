#include "imgtool/input_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "imgtool/input_fixture.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;

class ListInputTest : public InputFixture {
 protected:
  Result<Input> List(const std::string& operand) {
    CKPT_TRY(const DumpInput opened, Open(operand));
    return ListInput(opened);
  }
};

TEST_F(ListInputTest, TakesTheTypeOfAnImageFromItsName) {
  const Result<Input> input = List(Put("core-42.img", "not read"));
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_FALSE(input.value().is_directory);
  const InputFile& file = input.value().files.at(0);
  EXPECT_EQ(file.name, "core-42.img");
  EXPECT_EQ(file.kind, InputKind::kImage);
  EXPECT_EQ(file.type, ImageType::kCore);
  EXPECT_EQ(file.size_bytes, 8u);
}

TEST_F(ListInputTest, TakesTheTypeOfAFileWithAnotherNameFromItsMagic) {
  const Result<Input> input = List(Put("saved", "\x19\x43\x56\x54\x47\x38\x05\x55"));
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input.value().files.at(0).type, ImageType::kCore);
}

TEST_F(ListInputTest, RefusesAFileThatIsNoImage) {
  const std::string path = Put("dump.log", "some text");
  const Result<Input> input = List(path);
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(input.error().message, path + ": magic 0x656d6f73 at offset 0 is of no image type");
}

TEST_F(ListInputTest, SaysThatThereIsNoSuchFile) {
  const Result<Input> input = List(directory_ + "/none");
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, ErrorCode::kNotFound);
}

TEST_F(ListInputTest, ListsAllThatLiesInADumpByName) {
  Put("pages-1.img", "page");
  Put("dump.log", "text");
  Put("core-42.img", "");
  std::filesystem::create_symlink("../before", directory_ + "/parent");
  std::filesystem::create_directory(directory_ + "/fs-1.img");
  const Result<Input> input = List(directory_);
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_TRUE(input.value().is_directory);
  const auto& files = input.value().files;
  ASSERT_EQ(files.size(), 5u);
  EXPECT_EQ(files[0].name, "core-42.img");
  EXPECT_EQ(files[0].kind, InputKind::kImage);
  EXPECT_EQ(files[1].name, "dump.log");
  EXPECT_EQ(files[1].kind, InputKind::kUnknown);
  EXPECT_EQ(files[2].name, "fs-1.img");  // a directory
  EXPECT_EQ(files[2].kind, InputKind::kUnknown);
  EXPECT_EQ(files[3].name, "pages-1.img");
  EXPECT_EQ(files[3].kind, InputKind::kRaw);
  EXPECT_EQ(files[4].name, "parent");
  EXPECT_EQ(files[4].kind, InputKind::kLink);
  EXPECT_EQ(files[4].link_target, "../before");
}

TEST_F(ListInputTest, ListsHundredsOfFilesByName) {
  for (int i = 1000; i < 1400; ++i)
    Put(fmt::format("fs-{}.img", i), std::string(static_cast<size_t>(i % 7), 'x'));
  const Result<Input> input = List(directory_);
  ASSERT_TRUE(input);
  ASSERT_EQ(input.value().files.size(), 400u);
  for (int i = 1000; i < 1400; ++i) {
    const InputFile& file = input.value().files[static_cast<size_t>(i - 1000)];
    EXPECT_EQ(file.name, fmt::format("fs-{}.img", i));
    EXPECT_EQ(file.type, ImageType::kFs);
    EXPECT_EQ(file.size_bytes, static_cast<uint64_t>(i % 7));
  }
}

}  // namespace
}  // namespace ckpt
