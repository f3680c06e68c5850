#include "imgtool/finalize_plan.h"

#include <gtest/gtest.h>

#include <utility>

#include "formats/image_writer.h"
#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

Edit Set(std::string image, std::string field, FieldValue old_value, FieldValue new_value,
         size_t entry = 0) {
  return {{std::move(image), entry}, std::move(field), std::move(old_value),
          std::move(new_value),      "move",           "told so"};
}

ImageSource Devices() {
  return ImageSource::OfMembers(
      "d",
      {{"tmpfs-dev-5.tar.gz.img", "x"}, {"autofs-5.img", "x"}, {"tmpfs-dev-6.tar.gz.img", "x"}});
}

std::string ErrorOf(const Edit& edit) {
  EditPlan plan;
  EXPECT_TRUE(plan.Add(edit));
  const auto done = FinalizePlan(Devices(), plan);
  return done.has_error() ? done.error().message : "fine";
}

Edit Name(std::string text) {
  return Set("files.img", "reg.name", std::string("/old"), std::move(text));
}
Edit Socket(std::string text) {
  return Set("files.img", "usk.name", std::string("/old"), std::move(text));
}

TEST(FinalizePlanTest, PathsAreHeldToThePathLimit) {
  EXPECT_EQ(ErrorOf(Name("/" + std::string(4094, 'a'))), "fine");
  EXPECT_EQ(ErrorOf(Name("/" + std::string(4095, 'a'))),
            "files.img: entry 0: reg.name: pass move sets 4096 bytes, at most 4095 allowed");
  EXPECT_EQ(
      ErrorOf(Name("a")),
      "files.img: entry 0: reg.name: pass move sets \"a\", which does not start with a slash");
  EXPECT_EQ(ErrorOf(Name(std::string("/a\0b", 4))),
            "files.img: entry 0: reg.name: pass move sets \"/a\\000b\", which has a zero byte");
}

TEST(FinalizePlanTest, SocketNamesAreHeldToTheirLimit) {
  EXPECT_EQ(ErrorOf(Socket("/" + std::string(107, 'a'))), "fine");
  EXPECT_EQ(ErrorOf(Socket("/" + std::string(106, 'a') + '\0')), "fine");
  EXPECT_EQ(ErrorOf(Socket(std::string("\0a\0b", 4))), "fine");
  EXPECT_EQ(ErrorOf(Socket("/" + std::string(108, 'a'))),
            "files.img: entry 0: usk.name: pass move sets 109 bytes, at most 108 allowed");
}

TEST(FinalizePlanTest, ImagesFollowTheDeviceInTheirNames) {
  EditPlan plan;
  ASSERT_TRUE(plan.Add(Set("mountpoints-1.img", "root_dev", int64_t{5}, int64_t{9})));
  ASSERT_TRUE(plan.Add(Set("mountpoints-1.img", "root_dev", int64_t{5}, int64_t{9}, 1)));
  ASSERT_TRUE(FinalizePlan(Devices(), plan));
  ASSERT_EQ(plan.renames().size(), 2U);
  EXPECT_EQ(plan.renames().at("autofs-5.img").to, "autofs-9.img");
  EXPECT_EQ(plan.renames().at("tmpfs-dev-5.tar.gz.img").to, "tmpfs-dev-9.tar.gz.img");
  EXPECT_EQ(plan.renames().at("autofs-5.img").evidence, "the device of mountpoints-1.img: entry 0");
}

TEST(FinalizePlanTest, OneDeviceCannotBecomeTwoNorTwoOne) {
  EditPlan two;
  ASSERT_TRUE(two.Add(Set("mountpoints-1.img", "root_dev", int64_t{5}, int64_t{9})));
  ASSERT_TRUE(two.Add(Set("mountpoints-2.img", "root_dev", int64_t{5}, int64_t{8}, 3)));
  EXPECT_EQ(FinalizePlan(Devices(), two).error().message,
            "mountpoints-2.img: entry 3: root_dev: pass move sets device 8, but device 5 becomes 9 "
            "at mountpoints-1.img: entry 0");
  EditPlan one;
  ASSERT_TRUE(one.Add(Set("mountpoints-1.img", "root_dev", int64_t{5}, int64_t{9})));
  ASSERT_TRUE(one.Add(Set("mountpoints-1.img", "root_dev", int64_t{6}, int64_t{9}, 1)));
  EXPECT_EQ(FinalizePlan(Devices(), one).error().message,
            "pass finalize renames tmpfs-dev-5.tar.gz.img to tmpfs-dev-9.tar.gz.img (the device of "
            "mountpoints-1.img: entry 0), but pass finalize renames tmpfs-dev-6.tar.gz.img to "
            "tmpfs-dev-9.tar.gz.img (the device of mountpoints-1.img: entry 1)");
}

TEST(FinalizePlanTest, NewSourcesOfMountsAreWrittenBesideTheImagesToo) {
  const ImageSource images = ImageSource::OfMembers(
      "d", {{"../spec.dump", R"({"source": "/vol/a", "type": "none"})"}, {"../config.dump", "{}"}});
  EditPlan plan;
  ASSERT_TRUE(
      plan.Add(Set("mountpoints-1.img", "source", std::string("/vol/a"), std::string("/data"))));
  ASSERT_TRUE(
      plan.Add(Set("mountpoints-1.img", "source", std::string("none"), std::string("tmpfs"), 1)));
  ASSERT_TRUE(FinalizePlan(images, plan));
  ASSERT_EQ(plan.new_files().size(), 1U);
  EXPECT_EQ(plan.new_files().at("../spec.dump").content.bytes,
            R"({"source": "/data", "type": "none"})");
}

pb::file_entry FileEntry(uint32_t id) {
  pb::file_entry entry;
  entry.set_type(pb::REG);
  entry.set_id(id);
  *entry.mutable_reg() = SampleRegFile(id, "/x");
  return entry;
}

NewEntry Remap(uint32_t orig_id, uint32_t remap_id) {
  pb::remap_file_path_entry remap;
  remap.set_orig_id(orig_id);
  remap.set_remap_id(remap_id);
  remap.set_remap_type(pb::GHOST);
  return {"remap-fpath.img", remap.SerializeAsString(), "", "ghosts", "deleted"};
}

TEST(FinalizePlanTest, NewEntriesHaveIdsOfTheirOwnAndReferToWhatIsThere) {
  ImageEncoder files(ImageType::kFiles);
  ASSERT_TRUE(files.Append(FileEntry(1)));
  const ImageSource images = ImageSource::OfMembers("d", {{"files.img", files.bytes()}});
  const auto error_of = [&](const NewEntry& entry, bool with_ghost) -> std::string {
    EditPlan plan;
    plan.AddEntry(entry);
    if (with_ghost) {
      EXPECT_TRUE(plan.AddFile({"ghost-file-a.img", {}, false, "ghosts", "e"}));
    }
    const auto done = FinalizePlan(images, plan);
    return done.has_error() ? done.error().message : "fine";
  };
  const auto file = [](uint32_t id) {
    return NewEntry{"files.img", FileEntry(id).SerializeAsString(), "", "ghosts", "deleted"};
  };
  EXPECT_EQ(error_of(file(2), false), "fine");
  EXPECT_EQ(error_of(file(1), false),
            "files.img: pass ghosts adds a file 1, which is there already");
  EXPECT_EQ(error_of(Remap(1, 10), true), "fine");
  EXPECT_EQ(error_of(Remap(1, 10), false),
            "remap-fpath.img: pass ghosts remaps file 1 to ghost-file-a.img, which is missing");
  EXPECT_EQ(error_of(Remap(3, 10), true),
            "remap-fpath.img: pass ghosts remaps file 3, which is not there");
}

}  // namespace
}  // namespace ckpt
