#include "restorer/run_restore.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/result.h"

namespace ckpt {
namespace {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

Outcome RunProgram(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  const int code = RunRestore(arguments, out, err);
  return {code, out.str(), err.str()};
}

TEST(RunRestoreTest, HelpNamesTheOptionsThatCriuHas) {
  const Outcome outcome = RunProgram({"--help"});
  EXPECT_EQ(outcome.code, kExitDone);
  for (const char* option : {"-D [ --images-dir ]", "-o [ --log-file ]", "-v [ --verbosity ]",
                             "-d [ --restore-detached ]", "--pidfile", "-r [ --root ]"}) {
    EXPECT_NE(outcome.out.find(option), std::string::npos) << option << "\n" << outcome.out;
  }
}

TEST(RunRestoreTest, VersionSaysWhatItReads) {
  EXPECT_EQ(RunProgram({"-V"}).out, "ckpt-restore 0.1 (CRIU image format, img_version 1 and 2)\n");
}

TEST(RunRestoreTest, AnUnknownOptionIsAUsageError) {
  const Outcome outcome = RunProgram({"--frobnicate"});
  EXPECT_EQ(outcome.code, static_cast<int>(ErrorCode::kUsage));
  EXPECT_EQ(outcome.err,
            "ckpt-restore: unrecognised option '--frobnicate' (see ckpt-restore --help)\n");
}

TEST(RunRestoreTest, AnUnknownLogLevelIsAUsageError) {
  const Outcome outcome = RunProgram({"-v9"});
  EXPECT_EQ(outcome.code, static_cast<int>(ErrorCode::kUsage));
  EXPECT_EQ(outcome.err, "ckpt-restore: \"-v9\": levels are 0 to 4 (see ckpt-restore --help)\n");
}

TEST(RunRestoreTest, AMissingDirectoryIsNotFound) {
  const Outcome outcome = RunProgram({"-D", "/nowhere/images"});
  EXPECT_EQ(outcome.code, static_cast<int>(ErrorCode::kNotFound));
  EXPECT_NE(outcome.err.find("/nowhere/images"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace ckpt
