#include "imgtool/dumped_names.h"

#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <string>
#include <vector>

#include "formats/image_writer.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/notify.pb.h"

namespace ckpt {
namespace {

template <typename M>
DumpedNames NamesOf(ImageType type, const M& entry) {
  ImageEncoder encoder(type);
  EXPECT_TRUE(encoder.Append(entry).has_value());
  const ImageFile image = ImageFile::Parse("x", type, encoder.TakeBytes()).value();
  DumpedNames names;
  EXPECT_TRUE(AddNames(image, "x.img", names).has_value());
  return names;
}

pb::fh_entry Handle(const std::string& path) {
  pb::fh_entry handle;
  handle.set_bytes(8);
  handle.set_type(1);
  if (!path.empty()) {
    handle.set_path(path);
    handle.set_mnt_id(22);
  }
  return handle;
}

TEST(DumpedNames, OfOldInotifyImagesAreThere) {
  pb::inotify_wd_entry watch;
  watch.set_id(1);
  watch.set_i_ino(11);
  watch.set_mask(1);
  watch.set_ignored_mask(0);
  watch.set_s_dev(44);
  watch.set_wd(1);
  *watch.mutable_f_handle() = Handle("/var");
  const DumpedNames names = NamesOf(ImageType::kInotifyWd, watch);
  ASSERT_EQ(names.names.size(), 1U);
  EXPECT_EQ(names.names[0].field, "f_handle.path");
  EXPECT_EQ(names.names[0].mnt_id, 22);
  EXPECT_EQ(names.devices[0].field, "s_dev");
  EXPECT_TRUE(names.watches[0].has_path);
}

TEST(DumpedNames, OfFanotifyMarksAreThere) {
  pb::fanotify_mark_entry mark;
  mark.set_id(1);
  mark.set_type(pb::MOUNT);
  mark.set_mflags(0);
  mark.set_mask(0);
  mark.set_ignored_mask(0);
  mark.set_s_dev(44);
  mark.mutable_me()->set_mnt_id(22);
  mark.mutable_me()->set_path("/mnt");
  EXPECT_EQ(NamesOf(ImageType::kFanotifyMark, mark).names[0].field, "me.path");
  mark.clear_me();
  mark.mutable_ie()->set_i_ino(11);
  *mark.mutable_ie()->mutable_f_handle() = Handle("");
  const DumpedNames names = NamesOf(ImageType::kFanotifyMark, mark);
  EXPECT_TRUE(names.names.empty());
  EXPECT_EQ(names.watches[0].handle_field, "ie.f_handle");
  EXPECT_FALSE(names.watches[0].has_path);
}

TEST(DumpedNames, OfTheCacheHaveTheirDeviceInTheOtherEncoding) {
  pb::irmap_cache_entry cached;
  cached.set_dev(static_cast<uint32_t>(makedev(8, 300)));
  cached.set_inode(11);
  cached.set_path("/x");
  const DumpedNames names = NamesOf(ImageType::kIrmapCache, cached);
  EXPECT_EQ(names.inode_paths[0].device, 8U << 20 | 300U);
  EXPECT_EQ(names.names[0].field, "path");
}

}  // namespace
}  // namespace ckpt
