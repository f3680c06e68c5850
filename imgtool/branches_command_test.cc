#include "imgtool/branches_command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "imgtool/directory_fixture.h"
#include "imgtool/sample_dump.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

class BranchesTest : public DirectoryFixture {};

TEST_F(BranchesTest, PrintsASourceAsAMapThatIsItselfASource) {
  const ToolRun run = RunTool({"branches", "br:/d/sp\\040ace=rw:/d/base=ro+wh"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out,
            "branch-map 1\nunion aufs\n  mountpoint /\n  type aufs\n  branch rw /d/sp\\040ace\n"
            "  branch ro+wh /d/base\n");
  EXPECT_EQ(RunTool({"branches", Put("map", run.out)}).out, run.out);
}

TEST_F(BranchesTest, SaysWhereTheUnionsAreMountedInADump) {
  SampleDump dump(directory_ + "/dump");
  dump.WriteFiles({});
  dump.Write(ImageType::kMnts, 7, std::vector{SampleMount(pb::AUFS, 44, 1, "/u", "si=1f")});
  const std::string log = Put("log", "/sys/fs/aufs/si_1f/br0 : /d\n");
  EXPECT_EQ(RunTool({"branches", log, "--dump", dump.directory()}).out,
            "branch-map 1\nunion 1f\n  mountpoint /u\n  type aufs\n  mnt-id 44\n  mnt-ns 7\n"
            "  si 1f\n  branch rw /d\n");
}

TEST_F(BranchesTest, WarnsOfWhatIsSeldomMeant) {
  EXPECT_EQ(RunTool({"branches", "br:/a=rw:/b=rw"}).err,
            "imgtool branches: warning: the command line:1: union aufs has 2 writable branches, "
            "most have one\n");
}

TEST_F(BranchesTest, RefusesWhatTellsNoBranches) {
  const ToolRun run = RunTool({"branches", Put("x", "hello\n")});
  EXPECT_EQ(run.code, 5);
  EXPECT_TRUE(run.err.starts_with("imgtool branches: " + directory_ + "/x: none of the sources"))
      << run.err;
  SampleDump dump(directory_ + "/dump");
  dump.WriteFiles({});
  EXPECT_EQ(RunTool({"branches", dump.directory()}).code, 3);
}

}  // namespace
}  // namespace ckpt
