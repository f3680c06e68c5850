#include <filesystem>

#include "imgtool/directory_fixture.h"
#include "imgtool/dump_transaction.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

class UndoCommandTest : public DirectoryFixture {};

TEST_F(UndoCommandTest, TheLastStateComesBackAndCanBeForgotten) {
  const std::string dump = Put("a.tar", "new");
  Put(".a.tar.imgtool-undo", "old");
  const ToolRun back = RunTool({"undo", dump});
  EXPECT_EQ(back.code, 0);
  EXPECT_EQ(back.out, dump + ": the state before its last change is back\n");
  EXPECT_EQ(ReadWholeFile(dump).value(), "old");
  EXPECT_EQ(RunTool({"undo", "--forget", dump}).out,
            dump + ": the state before its last change is removed\n");
  EXPECT_EQ(RunTool({"undo", "--forget", dump}).out, dump + ": no earlier state is kept\n");
  const ToolRun nothing = RunTool({"undo", dump});
  EXPECT_EQ(nothing.code, 3);
  EXPECT_EQ(nothing.err, "imgtool undo: " + dump + ": no earlier state is kept\n");
}

TEST_F(UndoCommandTest, AnyCommandTidiesUpAfterAKillAndSaysSo) {
  const std::string image = Put("fs-2.img", std::string("\x19\x43\x56\x54\x12\x39\x40\x51", 8));
  Put(".fs-2.img.imgtool-new", "half");
  const ToolRun run = RunTool({"info", image});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err,
            "imgtool info: " + image + ": a rewrite of it was cut short and is rolled back\n");
  EXPECT_EQ(ListDirectory(directory_).value(), std::vector<std::string>{"fs-2.img"});
}

}  // namespace
}  // namespace ckpt
