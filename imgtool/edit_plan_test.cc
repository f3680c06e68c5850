#include "imgtool/edit_plan.h"

#include <gtest/gtest.h>

#include <string>

namespace ckpt {
namespace {

Edit SetName(std::string name, std::string pass, size_t entry = 3) {
  return {.place = {"files.img", entry},
          .field = "reg.name",
          .old_value = std::string("/old"),
          .new_value = std::move(name),
          .pass = std::move(pass),
          .evidence = "since"};
}

TEST(EditPlanTest, EditsComeOutByImageAndEntryAndInOrder) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(SetName("/b", "x", 10)));
  ASSERT_TRUE(plan.Add(SetName("/a", "x", 9)));
  Edit second = SetName("/z", "x", 9);
  second.field = "reg.mnt_id";
  ASSERT_TRUE(plan.Add(second));
  Edit first = SetName("/c", "x", 20);
  first.place.image = "a.img";
  ASSERT_TRUE(plan.Add(first));
  ASSERT_EQ(plan.edits().size(), 4U);
  EXPECT_EQ(plan.edits()[0]->place.Text(), "a.img: entry 20");
  EXPECT_EQ(plan.edits()[1]->place.Text(), "files.img: entry 9");
  EXPECT_EQ(plan.edits()[1]->field, "reg.name");
  EXPECT_EQ(plan.edits()[2]->field, "reg.mnt_id");
  EXPECT_EQ(plan.edits()[3]->place.Text(), "files.img: entry 10");
}

TEST(EditPlanTest, TwoPassesMayAgree) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(SetName("/new", "one")));
  ASSERT_TRUE(plan.Add(SetName("/new", "two")));
  ASSERT_EQ(plan.edits().size(), 1U);
  EXPECT_EQ(plan.edits()[0]->pass, "one");
}

TEST(EditPlanTest, TwoPassesThatDisagreeAreBothNamed) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(SetName("/new", "one")));
  const auto added = plan.Add(SetName("/other", "two"));
  ASSERT_TRUE(added.has_error());
  EXPECT_EQ(added.error().message,
            "files.img: entry 3: reg.name: pass one sets \"/new\" (since), but pass two sets "
            "\"/other\" (since)");
}

TEST(EditPlanTest, AnEditThatChangesNothingIsDropped) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(SetName("/old", "one")));
  EXPECT_TRUE(plan.empty());
}

TEST(EditPlanTest, ValuesAreShownWithoutLoss) {
  EXPECT_EQ(FieldText(FieldAbsent()), "(absent)");
  EXPECT_EQ(FieldText(int64_t{-1}), "-1");
  EXPECT_EQ(FieldText(std::string("/a \"\xff\n")), "\"/a \\042\\377\\012\"");
}

}  // namespace
}  // namespace ckpt
