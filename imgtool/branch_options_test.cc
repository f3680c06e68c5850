#include "imgtool/branch_options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

// "PERM PATH" of each branch.
Names Branches(std::string_view options) {
  const auto parsed = ParseUnionOptions(options);
  if (parsed.has_error()) return {"error: " + parsed.error().message};
  Names names;
  for (const Branch& branch : parsed.value().branches) {
    std::string name(BranchPermissionName(branch.permission));
    for (const std::string& attribute : branch.attributes) name += "+" + attribute;
    names.push_back(name + " " + branch.path);
  }
  return names;
}

TEST(BranchOptions, OfAufsAreInTheirOrder) {
  EXPECT_EQ(Branches("rw,si=1f,dio,br:/d/ID=rw:/d/ID-init=ro+wh:/d/base=rr"),
            (Names{"rw /d/ID", "ro+wh /d/ID-init", "rr /d/base"}));
  EXPECT_EQ(ParseUnionOptions("rw,si=1f,dio").value().si, "1f");
  EXPECT_EQ(ParseUnionOptions("rw,si=1f,dio").value().type, "aufs");
}

TEST(BranchOptions, WithoutPermissionsHaveThoseOfAufs) {
  EXPECT_EQ(Branches("br=/d/ID:/d/base"), (Names{"rw /d/ID", "ro /d/base"}));
}

TEST(BranchOptions, EqualsSignsAreSplitAtTheLastOne) {
  EXPECT_EQ(Branches("br:/t/e=q=ro+wh:/t/f=q"), (Names{"ro+wh /t/e=q", "ro /t/f=q"}));
}

TEST(BranchOptions, OctalEscapesAreUndone) {
  EXPECT_EQ(Branches("br:/t/sp\\040ace=rw:/t/\\134\\011\\012\\377=ro"),
            (Names{"rw /t/sp ace", "ro /t/\\\t\n\xff"}));
  EXPECT_TRUE(Branches("br:/t/x\\04=rw")[0].starts_with("error: "));
}

TEST(BranchOptions, OfUnionfsAreDirs) {
  EXPECT_EQ(Branches("rw,dirs=/a=rw:/b=ro"), (Names{"rw /a", "ro /b"}));
  EXPECT_EQ(ParseUnionOptions("dirs=/a").value().type, "unionfs");
}

TEST(BranchOptions, OfOverlayfsHaveTheUpperDirectoryOnTop) {
  EXPECT_EQ(Branches("rw,lowerdir=/l1:/l2,upperdir=/u,workdir=/w,uuid=on"),
            (Names{"rw /u", "ro /l1", "ro /l2"}));
  EXPECT_EQ(Branches("lowerdir+=/l1,lowerdir+=/l2,datadir+=/d"),
            (Names{"ro /l1", "ro /l2", "ro+data /d"}));
  EXPECT_EQ(Branches("lowerdir=/l1::/d1::/d2"), (Names{"ro /l1", "ro+data /d1", "ro+data /d2"}));
}

TEST(BranchOptions, EscapesOfOverlayfsAreUndoneInBothLayers) {
  EXPECT_EQ(Branches("lowerdir=/a\\:b:/c\\,d,upperdir=/e=f"),
            (Names{"rw /e=f", "ro /a:b", "ro /c,d"}));
  // As the kernel prints them: the backslash of the mounter is octal.
  EXPECT_EQ(Branches("lowerdir=/a\\134:b:/sp\\040ace:/c\\054d"),
            (Names{"ro /a:b", "ro /sp ace", "ro /c,d"}));
}

TEST(BranchOptions, AreToldFromOtherText) {
  EXPECT_TRUE(HasUnionOptions("rw,br:/a"));
  EXPECT_TRUE(HasUnionOptions("lowerdir=/a"));
  EXPECT_TRUE(HasUnionOptions("si=1f"));
  EXPECT_FALSE(HasUnionOptions("rw,relatime,size=3"));
  EXPECT_FALSE(HasUnionOptions("brs=1"));
}

class DockerLinks : public DirectoryFixture {};

TEST_F(DockerLinks, AreResolvedBesideTheUpperDirectory) {
  fs::create_directories(directory_ + "/ID/diff");
  fs::create_directories(directory_ + "/l");
  fs::create_symlink("../ID/diff", directory_ + "/l/ABC");
  EXPECT_EQ(Branches("lowerdir=l/ABC,upperdir=" + directory_ + "/top/diff"),
            (Names{"rw " + directory_ + "/top/diff", "ro " + directory_ + "/ID/diff"}));
  EXPECT_EQ(Branches("lowerdir=" + directory_ + "/l/ABC"), Names{"ro " + directory_ + "/ID/diff"});
  EXPECT_EQ(Branches("lowerdir=l/XYZ,upperdir=" + directory_ + "/top/diff"),
            Names{"error: layer \"l/XYZ\" is relative and no link below \"" + directory_ +
                  "/l\" here: take the list on the machine that it is of"});
  EXPECT_EQ(Branches("lowerdir=l/XYZ"),
            Names{"error: layer \"l/XYZ\" is relative, and no upperdir tells to what"});
}

}  // namespace
}  // namespace ckpt
