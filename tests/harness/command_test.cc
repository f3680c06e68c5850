#include "tests/harness/command.h"

#include <gmock/gmock.h>

namespace ckpt {
namespace {

using testing::HasSubstr;

TEST(Command, BothOutputsAndTheExitStatusAreKept) {
  const CommandResult result = RunCommand({"sh", "-c", "echo out; echo err >&2; exit 7"}).value();
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
  EXPECT_EQ(result.exit_status, 7);
}

TEST(Command, TheSignalThatEndsACommandIsAddedTo128) {
  EXPECT_EQ(RunCommand({"sh", "-c", "kill -9 $$"}).value().exit_status, 137);
}

TEST(Command, OneThatMustGoWellAndDoesNotIsAnErrorWithItsOutput) {
  const auto result = RunCommandWell({"sh", "-c", "echo why; exit 3"});
  ASSERT_TRUE(result.has_error());
  EXPECT_THAT(result.error().message, HasSubstr("exit status 3: why"));
}

}  // namespace
}  // namespace ckpt
