#include "imgtool/check/plan_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "formats/check/sample_container.h"
#include "formats/proto/files.pb.h"

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ImageSource SourceOf(const MemoryDump& dump) {
  ImageSource::Members members;
  for (const auto& [name, bytes] : dump.files()) members[name] = bytes;
  return ImageSource::OfMembers("sample", std::move(members));
}

// Entry 0 of files.img is file 1, a regular one.
Edit EditOf(const std::string& field, FieldValue old_value, FieldValue new_value,
            const std::string& image = "files.img", size_t entry = 0) {
  return {{image, entry}, field, std::move(old_value), std::move(new_value), "test", "because"};
}

Result<std::vector<PlanNote>> Check(const MemoryDump& dump, const EditPlan& plan) {
  const ImageSource images = SourceOf(dump);
  const auto changes = ChangesOf(plan, images);
  EXPECT_TRUE(changes.has_value()) << changes.error().message;
  return CheckPlan(images, plan, changes.value());
}

TEST(ChangeOf, NamesFieldsWithoutNumbersAndFilesByTheirNewNames) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(EditOf("ify.wd[1].f_handle.path", FieldAbsent(), std::string("/x"))));
  ASSERT_TRUE(plan.AddRename({"tmpfs-dev-48.tar.gz.img", "tmpfs-dev-49.tar.gz.img", "t", "e"}));
  plan.AddEntry({"remap-fpath.img", "", "", "t", "e"});
  const CheckedChange change = ChangeOf(plan);
  EXPECT_THAT(change.touched,
              ElementsAre("FILES.ify.wd.f_handle.path", "REMAP_FPATH", "TMPFS_DEV"));
  EXPECT_THAT(change.file_names,
              ElementsAre("files.img", "remap-fpath.img", "tmpfs-dev-49.tar.gz.img"));
}

TEST(CheckPlan, LetsAGoodPlanPassWithoutAWord) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(EditOf("reg.name", std::string("/bin/app"), std::string("/opt/app"))));
  const auto notes = Check(MakeSampleContainer().dump, plan);
  ASSERT_TRUE(notes.has_value()) << notes.error().message;
  EXPECT_THAT(notes.value(), IsEmpty());
}

TEST(CheckPlan, RefusesWhatNoRestorerTakesWithTheFindings) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(EditOf("reg.name", std::string("/bin/app"), std::string("opt/app"))));
  const auto notes = Check(MakeSampleContainer().dump, plan);
  ASSERT_TRUE(notes.has_error());
  EXPECT_EQ(notes.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(notes.error().message,
            "nothing is written, since the changed dump could not be restored: error file-path: "
            "files.img: entry 0: reg.name: \"opt/app\", expected a path that starts with a slash");
}

TEST(CheckPlan, RefusesADeviceWhoseFilesKeepTheirOldName) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(EditOf("root_dev", int64_t{0x30}, int64_t{0x31}, "mountpoints-15.img", 3)));
  const auto refused = Check(MakeSampleContainer().dump, plan);
  ASSERT_TRUE(refused.has_error());
  EXPECT_THAT(refused.error().message, HasSubstr("error mount-content"));
  ASSERT_TRUE(plan.AddRename({"tmpfs-dev-48.tar.gz.img", "tmpfs-dev-49.tar.gz.img", "t", "e"}));
  EXPECT_TRUE(Check(MakeSampleContainer().dump, plan).has_value());
}

TEST(CheckPlan, IsNotStoppedByWhatWasWrongBefore) {
  MemoryDump dump = MakeSampleContainer().dump;
  dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    file.mutable_reg()->set_name("bin/app");
    return true;
  });
  EditPlan plan;
  ASSERT_TRUE(plan.Add(EditOf("reg.name", std::string("bin/app"), std::string("opt/app"))));
  const auto notes = Check(dump, plan);
  ASSERT_TRUE(notes.has_value()) << notes.error().message;
  ASSERT_EQ(notes.value().size(), 1U);
  EXPECT_EQ(notes.value()[0].text, "1 finding of `imgtool check` that the dump had before");
}

TEST(CheckPlan, ReadsNothingThatThePlanCannotConcern) {
  MemoryDump dump = MakeSampleContainer().dump;
  dump.Set("mm-1.img", "damaged");
  EditPlan plan;
  ASSERT_TRUE(plan.Add(EditOf("reg.name", std::string("/bin/app"), std::string("/opt/app"))));
  const auto notes = Check(dump, plan);
  ASSERT_TRUE(notes.has_value());
  EXPECT_THAT(notes.value(), IsEmpty());
}

}  // namespace
}  // namespace ckpt
