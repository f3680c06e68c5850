#include "imgtool/program.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/program_options/options_description.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/test_pipe.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Imgtool, WithoutACommandIsAUsageError) {
  const ToolRun run = RunTool({});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "imgtool: no command given (try imgtool --help)\n");
}

TEST(Imgtool, RefusesACommandThatItDoesNotHave) {
  const ToolRun run = RunTool({"shwo"});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "imgtool: unknown command 'shwo' (try imgtool --help)\n");
}

TEST(Imgtool, ListsItsCommandsInHelp) {
  const ToolRun run = RunTool({"--help"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  for (const Command& command : Commands()) {
    EXPECT_THAT(run.out, HasSubstr(command.name)) << command.name;
    EXPECT_THAT(run.out, HasSubstr(command.summary)) << command.name;
  }
}

TEST(Imgtool, SaysItsVersion) {
  const ToolRun run = RunTool({"--version"});
  EXPECT_EQ(run.code, 0);
  EXPECT_THAT(run.out, StartsWith("imgtool "));
}

TEST(EachCommand, ExplainsItself) {
  for (const Command& command : Commands()) {
    const ToolRun run = RunTool({std::string(command.name), "--help"});
    EXPECT_EQ(run.code, 0) << command.name;
    EXPECT_THAT(run.out, StartsWith("usage: imgtool " + std::string(command.name)));
    EXPECT_THAT(run.out, HasSubstr(command.summary));
    EXPECT_THAT(run.out, HasSubstr(command.description));
    EXPECT_THAT(run.out, HasSubstr("--help"));
  }
}

TEST(EachCommand, WithoutInputIsAUsageError) {
  for (const Command& command : Commands()) {
    if (command.min_operands == 0) continue;
    const ToolRun run = RunTool({std::string(command.name)});
    EXPECT_EQ(run.code, 2) << command.name;
    EXPECT_EQ(run.out, "") << command.name;
    EXPECT_THAT(run.err, HasSubstr("no " + std::string(command.operands) + " given"));
  }
}

TEST(EachCommand, RefusesAnOptionThatItDoesNotHave) {
  for (const Command& command : Commands()) {
    const ToolRun run = RunTool({std::string(command.name), "--no-such-option", "x"});
    EXPECT_EQ(run.code, 2) << command.name;
    EXPECT_THAT(run.err, HasSubstr("unrecognised option '--no-such-option'"));
  }
}

TEST(EachCommand, RefusesAShortenedOption) {
  for (const Command& command : Commands()) {
    const ToolRun run = RunTool({std::string(command.name), "--hel"});
    EXPECT_EQ(run.code, 2) << command.name;
  }
}

// The page for its users names every command and every option.
TEST(EachCommand, IsDocumentedWithItsOptions) {
  const Result<std::string> page = ReadWholeFile("docs/imgtool.md");
  ASSERT_TRUE(page) << page.error().message;
  for (const Command& command : Commands()) {
    const std::string name(command.name);
    EXPECT_THAT(page.value(), HasSubstr("| `" + name + "` |"));
    EXPECT_THAT(page.value(), HasSubstr("\n## " + name + "\n"));
    boost::program_options::options_description options;
    command.add_options(options);
    for (const auto& option : options.options()) {
      EXPECT_THAT(page.value(), HasSubstr("--" + option->long_name())) << name;
    }
  }
}

struct DescriptorRun {
  int code = -1;
  std::string err;
};

DescriptorRun RunHelpInto(int out) {
  TestPipe err = MakeTestPipe();
  const std::vector<std::string> args = {"--help"};
  const int code = RunImgtoolOnDescriptors(args, STDIN_FILENO, out, err.writer.get());
  err.writer.Reset();
  Result<std::string> text = ReadWholeFd(err.reader.get(), "standard error");
  return {code, text ? text.value() : text.error().message};
}

TEST(ImgtoolOnDescriptors, EndsQuietlyWhenNobodyReadsItsOutput) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  TestPipe out = MakeTestPipe();
  out.reader.Reset();
  const DescriptorRun run = RunHelpInto(out.writer.get());
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  std::signal(SIGPIPE, before);
}

TEST(ImgtoolOnDescriptors, SaysWhenItsOutputCannotBeWritten) {
  Result<UniqueFd> full = OpenFile("/dev/full", O_WRONLY);
  ASSERT_TRUE(full) << full.error().message;
  const DescriptorRun run = RunHelpInto(full.value().get());
  EXPECT_EQ(run.code, 8);
  EXPECT_EQ(run.err, "imgtool: write(standard output): No space left on device (ENOSPC)\n");
}

using DumpsOnly = DirectoryFixture;

// A text to be searched for is no dump, whatever lies beside a file of that name.
TEST_F(DumpsOnly, AreTidiedUpAfterARewriteThatWasCutShort) {
  const std::string dump = directory_ + "/dump";
  const std::string text = directory_ + "/text";
  for (const char* name : {"/dump", "/.dump.imgtool-new", "/text", "/.text.imgtool-new"}) {
    std::filesystem::create_directory(directory_ + name);
  }
  EXPECT_THAT(RunTool({"mem", dump, "1", "search", text}).err,
              HasSubstr(dump + ": a rewrite of it was cut short and is rolled back\n"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/.dump.imgtool-new"));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/.text.imgtool-new"));
}

TEST_F(DumpsOnly, AreTidiedUpAlsoWhereAnOptionNamesThem) {
  const std::string dump = directory_ + "/dump";
  const std::vector<std::vector<std::string>> commands = {
      {"branches", "br:/a=rw", "--dump", dump}, {"aufs-fixup", directory_, "--branches", dump}};
  for (const auto& command : commands) {
    std::filesystem::create_directories(dump);
    std::filesystem::create_directory(directory_ + "/.dump.imgtool-new");
    EXPECT_THAT(RunTool(command).err, HasSubstr(dump + ": a rewrite of it was cut short"));
    EXPECT_FALSE(std::filesystem::exists(directory_ + "/.dump.imgtool-new"));
  }
}

}  // namespace
}  // namespace ckpt
