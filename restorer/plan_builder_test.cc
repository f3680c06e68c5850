#include "restorer/plan_builder.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "formats/image_version.h"
#include "restorer/sample_images.h"

namespace ckpt {
namespace {

std::string ErrorOf(const DumpImages& images) {
  const Result<RestorePlan> plan = BuildRestorePlan(images);
  return plan.has_error() ? plan.error().message : "";
}

TEST(PlanBuilderTest, ASampleDumpHasAPlan) {
  const Result<RestorePlan> plan = BuildRestorePlan(SampleImages());
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  ASSERT_EQ(plan.value().tasks.size(), 1U);
  EXPECT_EQ(plan.value().tasks.front().pid, 42);
  EXPECT_EQ(plan.value().files.size(), 2U);
}

TEST(PlanBuilderTest, CompressedImagesAreRefusedByName) {
  DumpImages images = SampleImages();
  images.inventory.set_img_version(3);
  EXPECT_EQ(ErrorOf(images),
            "inventory.img: images of version 3 (compressed pages), supported are 1 and 2");
}

TEST(PlanBuilderTest, ADumpThatWeCompressedIsRestored) {
  DumpImages images = SampleImages();
  images.inventory.set_img_version(WithZstdMark(2));
  EXPECT_TRUE(BuildRestorePlan(images).has_value());
  images.inventory.set_img_version(WithZstdMark(3));
  EXPECT_EQ(ErrorOf(images), "inventory.img: images of version 2054356995, supported are 1 and 2");
}

TEST(PlanBuilderTest, AnUnknownImageVersionIsRefused) {
  DumpImages images = SampleImages();
  images.inventory.set_img_version(7);
  EXPECT_EQ(ErrorOf(images), "inventory.img: images of version 7, supported are 1 and 2");
}

TEST(PlanBuilderTest, ANamespaceOfItsOwnIsRefusedByName) {
  DumpImages images = SampleImages();
  images.tasks.front().ids->set_user_ns_id(9);
  EXPECT_EQ(ErrorOf(images),
            "ids-42.img: process 42 has its own user namespace (id 9), which is not supported");
}

TEST(PlanBuilderTest, ANamespaceThatTheInventoryDoesNotNameIsOneOfItsOwn) {
  DumpImages images = SampleImages();
  images.inventory.mutable_root_ids()->clear_mnt_ns_id();
  EXPECT_EQ(ErrorOf(images), "mountpoints-3.img: is missing, and there is an own mount namespace");
}

TEST(PlanBuilderTest, ATreeIsMadeFromItsRootOn) {
  DumpImages images = SampleImages();
  images.tasks.push_back(SampleImages(43).tasks.front());
  images.tasks.back().tree.set_ppid(kSamplePid);
  images.tasks.back().ids->set_files_id(99);
  const Result<RestorePlan> plan = BuildRestorePlan(images);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  ASSERT_EQ(plan.value().tree.size(), 3U);
  EXPECT_EQ(plan.value().tree[1].kind, TreeAction::Kind::kMake);
  EXPECT_EQ(plan.value().tree[1].task, 1U);
}

TEST(PlanBuilderTest, ADumpWithoutProcessIsAnError) {
  DumpImages images = SampleImages();
  images.tasks.clear();
  EXPECT_EQ(ErrorOf(images), "pstree.img: holds no process");
}

TEST(PlanBuilderTest, APluginIsRefusedByName) {
  DumpImages images = SampleImages();
  images.inventory.mutable_plugins_entry()->add_plugins("cuda");
  EXPECT_EQ(ErrorOf(images),
            "inventory.img: the plugin \"cuda\" is needed, which is not supported");
}

TEST(PlanBuilderTest, AllFindingsAreToldAtOnce) {
  DumpImages images = SampleImages();
  images.inventory.set_img_version(3);
  images.tasks.front().ids->set_ipc_ns_id(5);
  images.tasks.front().mm->set_exe_file_id(77);
  EXPECT_EQ(ErrorOf(images),
            "inventory.img: images of version 3 (compressed pages), supported are 1 and 2\n"
            "mm-42.img: exe_file_id: file id 77 is not in files.img\n"
            "ipcns-var-5.img: is missing, and there is an own ipc namespace");
}

}  // namespace
}  // namespace ckpt
