#include "imgtool/union_options.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

using Keys = std::vector<std::string>;

TEST(UnionOptionsTest, AufsKeepsWhatHoldsElsewhere) {
  const KeptOptions kept = DropHostOptions("si=78be709e5fa7cad8,noxino,udba=none,dio,dirperm1");
  EXPECT_EQ(kept.options, "noxino,udba=none,dio,dirperm1");
  EXPECT_EQ(kept.dropped, Keys{"si"});
}

TEST(UnionOptionsTest, TheBranchListOfAufsWithoutBranchFilesGoes) {
  const KeptOptions kept =
      DropHostOptions("rw,si=1,xino=/dev/shm/aufs.xino,br:/t/rw=rw:/t/sp\\040ace=ro:/t/e=q=ro+wh");
  EXPECT_EQ(kept.options, "rw");
  EXPECT_EQ(kept.dropped, (Keys{"si", "xino", "br"}));
}

TEST(UnionOptionsTest, OverlayLosesItsLayersAlsoWithEscapedCommas) {
  const KeptOptions kept = DropHostOptions(
      "rw,lowerdir=/l\\,1:/l\\:2,upperdir=/u\\\\,workdir=/w,uuid=on,redirect_dir=on");
  EXPECT_EQ(kept.options, "rw,uuid=on,redirect_dir=on");
  EXPECT_EQ(kept.dropped, (Keys{"lowerdir", "upperdir", "workdir"}));
}

TEST(UnionOptionsTest, OtherOptionsStayAsTheyAre) {
  for (const char* options : {"", "rw", "rw,size=64k,mode=755", "sixth=1,brs", ",rw,,x"}) {
    const KeptOptions kept = DropHostOptions(options);
    EXPECT_EQ(kept.options, options);
    EXPECT_TRUE(kept.dropped.empty());
  }
}

TEST(UnionOptionsTest, NothingMayBeLeft) {
  EXPECT_EQ(DropHostOptions("si=1").options, "");
  EXPECT_EQ(DropHostOptions("si=1,dio").options, "dio");
}

}  // namespace
}  // namespace ckpt
