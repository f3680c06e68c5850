#include "base/engine_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/program_options.hpp>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "base/file.h"

namespace ckpt {
namespace {

namespace po = boost::program_options;
using testing::HasSubstr;

constexpr EngineProgram kProgram = {
    .name = "ckpt-test",
    .version = "ckpt-test 1",
    .usage = "usage: ckpt-test [OPTION]...\n",
    .images_directory_help = "where the images are",
    .add_options =
        [](po::options_description& options) {
          options.add_options()("fail", "fail")("throw", "throw")("nonsense", "make no sense");
        },
    .check = [](const po::variables_map& values) -> Result<> {
      if (values.count("nonsense") > 0) return MakeError(ErrorCode::kUsage, "no sense");
      return success();
    },
    .run = [](const EngineInvocation& invocation) -> Result<int> {
      if (invocation.options.count("throw") > 0) throw std::runtime_error("thrown");
      if (invocation.options.count("fail") > 0) return MakeError(ErrorCode::kNotFound, "not there");
      invocation.log.Debug("in {}", invocation.images_directory);
      return 1;
    },
};

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome RunWith(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = RunEngineProgram(kProgram, arguments, out, err);
  return {code, out.str(), err.str()};
}

TEST(EngineProgramTest, TheExitCodeIsThatOfTheRunOrOfItsError) {
  EXPECT_EQ(RunWith({}).code, 1);
  EXPECT_EQ(RunWith({"--fail"}).code, 3);
  EXPECT_EQ(RunWith({"--fail"}).err, "ckpt-test: not there\n");
  EXPECT_EQ(RunWith({"--throw"}).code, 70);
  EXPECT_EQ(RunWith({"--throw"}).err, "ckpt-test: thrown\n");
}

TEST(EngineProgramTest, AWrongCommandLineIsNamedAndExitsWith2) {
  EXPECT_EQ(RunWith({"--nonsense"}).err, "ckpt-test: no sense (see ckpt-test --help)\n");
  EXPECT_EQ(RunWith({"--nonsense"}).code, 2);
  EXPECT_EQ(RunWith({"-v9"}).err, "ckpt-test: \"-v9\": levels are 0 to 4 (see ckpt-test --help)\n");
  EXPECT_EQ(RunWith({"operand"}).code, 2);
  EXPECT_EQ(RunWith({"--images", "x"}).code, 2) << "no shortened options";
}

TEST(EngineProgramTest, HelpAndVersionGoToStandardOutput) {
  EXPECT_THAT(RunWith({"-h"}).out, HasSubstr("usage: ckpt-test"));
  EXPECT_THAT(RunWith({"-h"}).out, HasSubstr("--images-dir"));
  EXPECT_EQ(RunWith({"-V"}).out, "ckpt-test 1\n");
}

TEST(EngineProgramTest, TheLogIsInTheImagesDirectoryAndHasTheError) {
  const std::string directory = testing::TempDir() + "/engine_program_test";
  std::filesystem::create_directories(directory);
  RunWith({"-D", directory, "-o", "run.log", "-vv"});
  EXPECT_THAT(ReadWholeFile(directory + "/run.log").value(), HasSubstr("in " + directory));
  RunWith({"-D", directory, "-o", "run.log", "--fail"});
  EXPECT_THAT(ReadWholeFile(directory + "/run.log").value(), HasSubstr("Error: not there"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace ckpt
