#include "dumper/run_dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <vector>

namespace ckpt {
namespace {

using testing::HasSubstr;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome RunWith(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = RunDump(arguments, out, err);
  return {code, out.str(), err.str()};
}

TEST(RunDumpTest, AWrongCommandLineIsNamedAndExitsWith2) {
  EXPECT_EQ(RunWith({}).err, "ckpt-dump: no process given: -t PID (see ckpt-dump --help)\n");
  EXPECT_EQ(RunWith({}).code, 2);
  EXPECT_EQ(RunWith({"-t", "x"}).code, 2);
  EXPECT_EQ(RunWith({"-t", "0"}).code, 2);
  EXPECT_EQ(RunWith({"-t", "1", "-R", "-s"}).err,
            "ckpt-dump: -R and -s exclude each other (see ckpt-dump --help)\n");
  EXPECT_EQ(RunWith({"-t", "1", "-v9"}).err,
            "ckpt-dump: \"-v9\": levels are 0 to 4 (see ckpt-dump --help)\n");
  EXPECT_EQ(RunWith({"-t", "1", "img"}).code, 2);
  EXPECT_EQ(RunWith({"-t", "1", "--nonsense"}).code, 2);
}

TEST(RunDumpTest, AnOptionOfContainersThatIsWrittenWrongIsNamed) {
  const Outcome mode = RunWith({"-t", "1", "-v0", "--manage-cgroups=all"});
  EXPECT_EQ(mode.code, 2);
  EXPECT_THAT(mode.err, HasSubstr("--manage-cgroups all: expected none, props, soft, full, strict "
                                  "or ignore"));
  const Outcome external = RunWith({"-t", "1", "-v0", "--external", "tty[1:2]"});
  EXPECT_EQ(external.code, 2);
  EXPECT_THAT(external.err, HasSubstr("--external tty[1:2]: only mnt[MOUNTPOINT]:KEY"));
  const Outcome map = RunWith({"-t", "1", "-v0", "--ext-mount-map", "etc"});
  EXPECT_THAT(map.err, HasSubstr("--ext-mount-map etc: expected MOUNTPOINT:KEY or auto"));
}

TEST(RunDumpTest, AModeOfControlGroupsNeedsNoValue) {
  const Outcome outcome = RunWith({"--manage-cgroups", "-t", "4194303", "-v0"});
  EXPECT_EQ(outcome.err, "ckpt-dump: no process 4194303\n");
}

TEST(RunDumpTest, HelpAndVersionGoToStandardOutput) {
  const Outcome help = RunWith({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("usage: ckpt-dump -t PID"));
  EXPECT_THAT(help.out, HasSubstr("--leave-running"));
  EXPECT_THAT(RunWith({"-V"}).out, HasSubstr("ckpt-dump 0.1"));
}

TEST(RunDumpTest, AProcessThatIsNotThereExitsWith3) {
  const Outcome outcome = RunWith({"-t", "4194303", "-D", testing::TempDir(), "-v0"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.err, "ckpt-dump: no process 4194303\n");
}

TEST(RunDumpTest, AnImagesDirectoryThatIsNotThereExitsWith3) {
  const Outcome outcome = RunWith({"-t", std::to_string(getppid()), "-D", "/nowhere", "-v0"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("/nowhere"));
}

TEST(RunDumpTest, ADumpIsNeverWrittenOverAnother) {
  const std::string directory = testing::TempDir() + "/run_dump_test";
  std::filesystem::create_directories(directory);
  fclose(fopen((directory + "/inventory.img").c_str(), "w"));
  const Outcome outcome = RunWith({"-t", std::to_string(getppid()), "-D", directory, "-v0"});
  std::filesystem::remove_all(directory);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("the directory holds a dump already"));
}

TEST(RunDumpTest, ItDoesNotDumpItself) {
  const Outcome outcome =
      RunWith({"-t", std::to_string(getpid()), "-D", testing::TempDir(), "-v0"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("is this one"));
}

}  // namespace
}  // namespace ckpt
