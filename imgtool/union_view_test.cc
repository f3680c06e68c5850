#include "imgtool/union_view.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace ckpt {
namespace {

MapUnion At(std::string mountpoint) {
  MapUnion mount;
  mount.mountpoint = std::move(mountpoint);
  return mount;
}

TEST(UnionViewTest, ARootThatIsGivenIsTrusted) {
  const std::string root = testing::TempDir() + "/union_view_test";
  std::filesystem::create_directories(root + "/mnt/u");
  std::ofstream(root + "/mnt/u/file") << "123";
  const UnionView view = UnionView::AtRoot(root).value();
  EXPECT_FALSE(view.WhyUnreadable(At("/")));
  EXPECT_FALSE(view.WhyUnreadable(At("/mnt/u")));
  EXPECT_EQ(view.Find("/mnt/u/file").value()->size_bytes, 3U);
  EXPECT_EQ(view.root(), root);
  std::filesystem::remove_all(root);
  EXPECT_EQ(UnionView::AtRoot(root).error().code, ErrorCode::kNotFound);
}

TEST(UnionViewTest, ElsewhereAUnionMustBeMountedWhereItWas) {
  const UnionView view = UnionView::AtMountpoints(true).value();
  EXPECT_EQ(view.WhyUnreadable(At("/no such")), "no union is mounted at /no such here");
  EXPECT_EQ(view.WhyUnreadable(At("/proc")), "no union is mounted at /proc here");
}

TEST(UnionViewTest, TheRootOfAnotherNamespaceIsNotThisOne) {
  const UnionView view = UnionView::AtMountpoints(false).value();
  EXPECT_EQ(view.WhyUnreadable(At("/")),
            "its mountpoint is the root of a namespace that is not this one (say where it is "
            "mounted with --root)");
}

}  // namespace
}  // namespace ckpt
