#include "imgtool/dump_changes.h"

#include <gtest/gtest.h>

#include "formats/image_writer.h"
#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

ImageSource SampleImages() {
  ImageEncoder fs(ImageType::kFs);
  EXPECT_TRUE(fs.Append(SampleFs(1, 2)));
  return ImageSource::OfMembers("d", {{"fs-2.img", fs.bytes()},
                                      {"pages-1.img", std::nullopt},
                                      {"tmpfs-dev-5.tar.gz.img", "a"},
                                      {"tmpfs-dev-6.tar.gz.img", "b"}});
}

std::string ErrorOf(const EditPlan& plan) {
  return ChangesOf(plan, SampleImages()).error().message;
}

NewEntry Remap(uint32_t id) {
  pb::remap_file_path_entry entry;
  entry.set_orig_id(id);
  entry.set_remap_id(id);
  return {"remap-fpath.img", entry.SerializeAsString(), "", "ghosts", "deleted"};
}

TEST(DumpChangesTest, EditsNewEntriesFilesAndNamesAreSortedOut) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add({{"fs-2.img", 0}, "root_id", int64_t{2}, int64_t{7}, "p", "since"}));
  plan.AddEntry(Remap(2));
  plan.AddEntry(Remap(1));
  ASSERT_TRUE(plan.AddFile({"ghost-file-1.img", {"head", "/branch/file", 0}, false, "p", "e"}));
  ASSERT_TRUE(plan.AddFile({"pages-1.img", {"", "", 4096}, true, "p", "e"}));
  ASSERT_TRUE(plan.AddRename({"tmpfs-dev-5.tar.gz.img", "tmpfs-dev-6.tar.gz.img", "p", "e"}));
  ASSERT_TRUE(plan.AddRename({"tmpfs-dev-6.tar.gz.img", "tmpfs-dev-5.tar.gz.img", "p", "e"}));
  const DumpChanges changes = ChangesOf(plan, SampleImages()).value();
  ASSERT_EQ(changes.edited.size(), 2U);
  const auto fs = ImageFile::Parse("fs", ImageType::kFs, changes.edited.at("fs-2.img").bytes);
  EXPECT_EQ(ParseSingleEntry<pb::fs_entry>(fs.value()).value().root_id(), 7U);
  EXPECT_EQ(changes.edited.at("pages-1.img").hole_bytes, 4096U);
  EXPECT_EQ(changes.new_files.at("ghost-file-1.img").source, "/branch/file");
  const auto remaps =
      ImageFile::Parse("r", ImageType::kRemapFpath, changes.new_files.at("remap-fpath.img").bytes);
  EXPECT_EQ(ParseEntries<pb::remap_file_path_entry>(remaps.value()).value()[0].orig_id(), 1U);
  EXPECT_EQ(changes.NameOf("tmpfs-dev-5.tar.gz.img"), "tmpfs-dev-6.tar.gz.img");
  EXPECT_EQ(changes.NameOf("fs-2.img"), "fs-2.img");
}

TEST(DumpChangesTest, NamesThatAreTakenOrMissingAreRefused) {
  EditPlan taken;
  ASSERT_TRUE(taken.AddFile({"fs-2.img", {}, false, "ghosts", "deleted"}));
  EXPECT_EQ(ErrorOf(taken),
            "fs-2.img: pass ghosts wants to make it, which is there already (deleted)");
  EditPlan missing;
  ASSERT_TRUE(missing.AddFile({"pages-2.img", {}, true, "memory", "--anonymise"}));
  EXPECT_EQ(ErrorOf(missing),
            "pages-2.img: pass memory wants to replace it, which is not there (--anonymise)");
  EditPlan onto;
  ASSERT_TRUE(onto.AddRename({"tmpfs-dev-5.tar.gz.img", "tmpfs-dev-6.tar.gz.img", "p", "5 -> 6"}));
  EXPECT_EQ(
      ErrorOf(onto),
      "tmpfs-dev-5.tar.gz.img: pass p renames it to tmpfs-dev-6.tar.gz.img, but that is there "
      "already (5 -> 6)");
}

TEST(DumpChangesTest, AFileIsEitherEditedOrReplaced) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add({{"fs-2.img", 0}, "root_id", int64_t{2}, int64_t{7}, "p", "since"}));
  ASSERT_TRUE(plan.AddFile({"fs-2.img", {}, true, "q", "because"}));
  EXPECT_EQ(ErrorOf(plan),
            "fs-2.img: pass q writes it (because), but other passes edit its entries");
}

}  // namespace
}  // namespace ckpt
