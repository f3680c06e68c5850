#include "imgtool/types_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <string>

#include "formats/image_type.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

TEST(Types, PrintsALineForEachType) {
  const ToolRun run = RunTool({"types"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(run.out, '\n')), ImageTypes().size() + 1);
  for (const ImageTypeInfo& info : ImageTypes()) {
    EXPECT_THAT(run.out, HasSubstr("\n" + std::string(info.name) + " "));
    EXPECT_THAT(run.out, HasSubstr(info.doc));
  }
}

TEST(Types, TellsWhatTheTableKnows) {
  const std::string out = RunTool({"types"}).out;
  EXPECT_THAT(out, testing::ContainsRegex(
                       "\nPAGEMAP +pagemap-%lu.img +0x56084025 +head\\+entries +pagemap_head, "
                       "pagemap_entry +- +"));
  EXPECT_THAT(out, testing::ContainsRegex("\nPAGES +pages-%u.img +- +raw +- +- +"));
}

TEST(Types, IsJsonForPrograms) {
  const ToolRun run = RunTool({"types", "--json"});
  EXPECT_EQ(run.code, 0);
  rapidjson::Document types;
  ASSERT_FALSE(types.Parse(run.out.c_str()).HasParseError());
  ASSERT_EQ(types.Size(), ImageTypes().size());
  for (rapidjson::SizeType i = 0; i < types.Size(); ++i) {
    const ImageTypeInfo& info = ImageTypes()[i];
    EXPECT_EQ(types[i]["name"].GetString(), info.name);
    EXPECT_EQ(types[i]["file"].GetString(), info.file_template);
    EXPECT_EQ(types[i]["magic"].IsNull(), info.magic == 0);
    EXPECT_EQ(types[i]["message"].IsNull(), info.entry_message.empty());
    EXPECT_EQ(types[i]["extra"].IsNull(), info.extra == ExtraKind::kNone);
  }
}

TEST(Types, TakesNoOperand) {
  const ToolRun run = RunTool({"types", "x"});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("1 operands given, at most 0 allowed"));
}

}  // namespace
}  // namespace ckpt
