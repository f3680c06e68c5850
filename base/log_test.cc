#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace ckpt {
namespace {

TEST(LogTest, LinesUpToTheLevelAreWrittenWithTheirTime) {
  const std::string path = testing::TempDir() + "/log_test.log";
  {
    Log log = Log::Open(path, LogLevel::kWarning).value();
    log.Error("page {} lost", 7);
    log.Warning("slow");
    log.Info("not wanted");
    log.Summary("frozen for 5 us");
  }
  EXPECT_THAT(ReadWholeFile(path).value(),
              testing::MatchesRegex("\\(00.[0-9]+\\) Error: page 7 lost\n"
                                    "\\(00.[0-9]+\\) Warning: slow\n"
                                    "\\(00.[0-9]+\\) frozen for 5 us\n"));
  std::filesystem::remove(path);
}

TEST(LogTest, LevelsAreSpelledAsInCriu) {
  EXPECT_EQ(ParseLogLevel(""), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("4"), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("v"), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("0"), LogLevel::kSilent);
  EXPECT_EQ(ParseLogLevel("5"), std::nullopt);
  EXPECT_EQ(ParseLogLevel("x"), std::nullopt);
}

TEST(LogTest, ALogLiesInTheImagesDirectoryUnlessItsPathIsAbsolute) {
  EXPECT_EQ(LogPath("img", "dump.log"), "img/dump.log");
  EXPECT_EQ(LogPath("img", "/var/log/dump.log"), "/var/log/dump.log");
  EXPECT_EQ(LogPath("img", ""), "");
}

TEST(LogTest, AFolderThatIsNotThereIsNamed) {
  EXPECT_EQ(Log::Open("/nowhere/dump.log", LogLevel::kInfo).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
