#include "imgtool/plan_report.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace ckpt {
namespace {

EditPlan SamplePlan() {
  EditPlan plan;
  EXPECT_TRUE(plan.Add({{"files.img", 3},
                        "reg.name",
                        std::string("/d/ID/\xff"),
                        std::string("/\xff"),
                        "paths",
                        "in branch 0"}));
  EXPECT_TRUE(plan.Add(
      {{"files.img", 3}, "reg.mnt_id", int64_t{22}, FieldAbsent(), "mount-ids", "no mount 22"}));
  plan.AddNote({"union web", "not verified"});
  return plan;
}

PlanOutcome Written() {
  PlanOutcome outcome;
  outcome.written = "/out";
  outcome.linked = 12;
  outcome.copied = 1;
  return outcome;
}

std::string Text(const EditPlan& plan, const PlanOutcome& outcome) {
  std::ostringstream out;
  WriteTextReport(plan, outcome, out);
  return out.str();
}

TEST(PlanReportTest, TextNamesEveryChangeAndWhy) {
  EXPECT_EQ(Text(SamplePlan(), Written()),
            "files.img: entry 3: reg.name: \"/d/ID/\\377\" -> \"/\\377\"\n"
            "    paths: in branch 0\n"
            "files.img: entry 3: reg.mnt_id: 22 -> (absent)\n"
            "    mount-ids: no mount 22\n"
            "note: union web: not verified\n"
            "2 changes in 1 image; written to /out, 12 files hard-linked, 1 copied\n");
}

TEST(PlanReportTest, TextSaysThatNothingIsToDoOrWritten) {
  EXPECT_EQ(Text(EditPlan(), NotWritten("--dry-run")),
            "nothing to do; nothing written (--dry-run)\n");
  EXPECT_EQ(Text(EditPlan(), Written()),
            "nothing to do; written to /out, 12 files hard-linked, 1 copied\n");
}

TEST(PlanReportTest, JsonHoldsTheSame) {
  std::ostringstream out;
  WriteJsonReport(SamplePlan(), NotWritten("--dry-run"), out);
  EXPECT_EQ(out.str(), R"({
    "edits": [
        {
            "image": "files.img",
            "entry": 3,
            "field": "reg.name",
            "old": "/d/ID/\udcff",
            "new": "/\udcff",
            "pass": "paths",
            "evidence": "in branch 0"
        },
        {
            "image": "files.img",
            "entry": 3,
            "field": "reg.mnt_id",
            "old": 22,
            "new": null,
            "pass": "mount-ids",
            "evidence": "no mount 22"
        }
    ],
    "notes": [
        {
            "place": "union web",
            "text": "not verified"
        }
    ],
    "written": null,
    "reason": "--dry-run"
}
)");
  out.str("");
  WriteJsonReport(EditPlan(), Written(), out);
  EXPECT_NE(out.str().find("\"written\": \"/out\",\n    \"linked\": 12,\n    \"reflinked\": 0,\n"
                           "    \"copied\": 1\n"),
            std::string::npos)
      << out.str();
}

}  // namespace
}  // namespace ckpt
