// The manual pages and completions in docs are what the programs print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "dumper/run_dump.h"
#include "imgtool/program.h"
#include "restorer/run_restore.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::Not;

int RunTool(std::span<const std::string> arguments, std::ostream& out, std::ostream& err) {
  std::istringstream in;
  return RunImgtool(arguments, {in, out, err});
}

struct Program {
  std::string name;
  int (*run)(std::span<const std::string> arguments, std::ostream& out, std::ostream& err);
  std::vector<std::string> manual;      // arguments that print the page
  std::vector<std::string> completion;  // those that print a completion, but for the shell
};

class Manual : public testing::TestWithParam<Program> {
 protected:
  std::string Print(std::vector<std::string> arguments) const {
    std::ostringstream out;
    std::ostringstream err;
    EXPECT_EQ(GetParam().run(arguments, out, err), 0) << err.str();
    return out.str();
  }
  std::string PrintCompletion(const std::string& shell) const {
    std::vector<std::string> arguments = GetParam().completion;
    arguments.push_back(shell);
    return Print(arguments);
  }
};

std::string Read(const std::string& path) {
  const auto text = ReadWholeFile(path);
  return text.has_value() ? text.value() : text.error().message;
}

TEST_P(Manual, IsThePageInDocs) {
  EXPECT_TRUE(Print(GetParam().manual) == Read("docs/man/" + GetParam().name + ".1"))
      << "run tools/write-manuals";
}

TEST_P(Manual, HasItsCompletionsInDocs) {
  EXPECT_TRUE(PrintCompletion("bash") == Read("docs/completion/" + GetParam().name + ".bash"))
      << "run tools/write-manuals";
  EXPECT_TRUE(PrintCompletion("zsh") == Read("docs/completion/_" + GetParam().name))
      << "run tools/write-manuals";
}

TEST_P(Manual, IsCleanRoff) {
  if (RunCommand({"groff", "--version"}).value().exit_status != 0) {
    GTEST_SKIP() << "groff is not installed";
  }
  const auto made =
      RunCommand({"groff", "-man", "-ww", "-Tutf8", "-z", "docs/man/" + GetParam().name + ".1"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made.value().exit_status, 0);
  EXPECT_EQ(made.value().errors, "");
}

TEST_P(Manual, HasACompletionThatBashReads) {
  const auto read = RunCommand({"bash", "-n", "docs/completion/" + GetParam().name + ".bash"});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value().errors, "");
  EXPECT_EQ(read.value().exit_status, 0);
}

TEST_P(Manual, HasACompletionThatZshReads) {
  const auto zsh = RunCommand({"zsh", "--version"});
  if (!zsh || zsh.value().exit_status != 0) GTEST_SKIP() << "zsh is not installed";
  const auto read = RunCommand({"zsh", "-n", "docs/completion/_" + GetParam().name});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value().errors, "");
}

struct Completion {
  std::string line;
  std::vector<std::string> shown;
  std::string not_shown;
};

void ExpectLists(const Completion& completion, const std::vector<std::string>& command) {
  const auto listed = RunCommandWell(command);
  ASSERT_TRUE(listed) << listed.error().message;
  for (const std::string& shown : completion.shown) {
    EXPECT_THAT(listed.value().output, testing::HasSubstr(shown)) << completion.line;
  }
  EXPECT_THAT(listed.value().output, Not(testing::HasSubstr(completion.not_shown)));
}

TEST(ZshCompletion, ListsCommandsOptionsWordsAndFiles) {
  const auto zsh = RunCommand({"zsh", "--version"});
  if (!zsh || zsh.value().exit_status != 0) GTEST_SKIP() << "zsh is not installed";
  const std::string folder = "docs/completion";
  const std::vector<Completion> completions = {
      {"imgtool ", {"an image to JSON, so that", "processes, descriptors, memory"}, "--help"},
      {"imgtool de", {"decode ", "the pages of a dump as CRIU has them"}, "can this dump"},
      {"imgtool check --r", {"--root ", "print the table of rules, and check nothing"}, "--json"},
      {"imgtool completion ", {"bash", "zsh"}, "_imgtool"},
      {"imgtool help ", {"aufs-fixup", "unpack"}, "_imgtool"},
      {"imgtool show " + folder + "/", {"_ckpt-dump", "imgtool.bash"}, "manual"},
      {"imgtool encode -o " + folder + "/_", {"_ckpt-dump", "_imgtool"}, "imgtool.bash"},
      {"ckpt-dump --leave-", {"let the process run on", "--leave-stopped "}, "--tree"},
      {"ckpt-dump --images-dir=docs/com", {"completion/"}, "--tree"},
      {"ckpt-restore --", {"--images-dir "}, "--leave-running"},
  };
  for (const Completion& completion : completions) {
    ExpectLists(completion, {"timeout", "60", "zsh", "-f", "tests/manual/list_completions.zsh",
                             fs::absolute(folder), completion.line});
  }
}

TEST(BashCompletion, ListsCommandsOptionsAndWords) {
  const std::vector<Completion> completions = {
      {"imgtool de", {"decode", "decompress"}, "diff"},
      {"imgtool check --r", {"--root", "--rules"}, "--json"},
      {"imgtool completion z", {"zsh"}, "bash"},
      {"ckpt-dump --leave-", {"--leave-running", "--leave-stopped"}, "--tree"},
      {"ckpt-restore --images", {"--images-dir"}, "--help"},
  };
  for (const Completion& completion : completions) {
    const std::string program = completion.line.substr(0, completion.line.find(' '));
    // As programmable completion calls the function that is registered for the program.
    ExpectLists(completion,
                {"bash", "-c",
                 "source docs/completion/" + program + ".bash && COMP_WORDS=(" + completion.line +
                     ") && COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) && "
                     "set -- $(complete -p " +
                     program +
                     ") && while [ $1 != -F ]; do shift; done && $2 && "
                     "printf '%s\\n' \"${COMPREPLY[@]}\""});
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, Manual,
    testing::Values(Program{"imgtool", RunTool, {"help", "--manual"}, {"completion"}},
                    Program{"ckpt-dump", RunDump, {"--manual"}, {"--completion"}},
                    Program{"ckpt-restore", RunRestore, {"--manual"}, {"--completion"}}),
    [](const testing::TestParamInfo<Program>& program) {
      std::string name = program.param.name;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace ckpt
