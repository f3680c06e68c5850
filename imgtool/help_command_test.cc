#include "imgtool/help_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

TEST(Help, AloneIsTheListOfCommands) {
  const ToolRun run = RunTool({"help"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, RunTool({"--help"}).out);
}

TEST(Help, OfACommandIsItsOwn) {
  for (const Command& command : Commands()) {
    const std::string name(command.name);
    const ToolRun run = RunTool({"help", name});
    EXPECT_EQ(run.code, 0) << name;
    EXPECT_EQ(run.out, RunTool({name, "--help"}).out) << name;
  }
}

TEST(Help, KnowsWhatItDoesNotHave) {
  const ToolRun run = RunTool({"help", "shwo"});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "imgtool help: unknown command 'shwo' (try imgtool --help)\n");
}

TEST(Help, OfTheWholeProgramIsAManualPage) {
  const ToolRun run = RunTool({"help", "--manual"});
  EXPECT_EQ(run.code, 0);
  EXPECT_THAT(run.out, testing::StartsWith(".TH \"IMGTOOL\" 1 "));
  for (const Command& command : Commands()) {
    std::string name(command.name);
    for (size_t at = name.find('-'); at != std::string::npos; at = name.find('-', at + 2)) {
      name.insert(at, 1, '\\');
    }
    EXPECT_THAT(run.out, HasSubstr("\n.SS " + name + "\n"));
  }
}

TEST(Completion, KnowsAllCommands) {
  for (const std::string shell : {"bash", "zsh"}) {
    const ToolRun run = RunTool({"completion", shell});
    EXPECT_EQ(run.code, 0) << run.err;
    for (const Command& command : Commands()) EXPECT_THAT(run.out, HasSubstr(command.name));
  }
}

TEST(Completion, IsForShellsThatItKnows) {
  const ToolRun run = RunTool({"completion", "fish"});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "imgtool completion: no completion for the shell 'fish', only for bash|zsh\n");
}

}  // namespace
}  // namespace ckpt
