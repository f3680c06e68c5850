// A container that was dumped, and has to go on where something is not as it was.
#ifndef TESTS_FIXUP_MOVED_CONTAINER_H_
#define TESTS_FIXUP_MOVED_CONTAINER_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"

namespace ckpt {

// A mount that no container has: CRIU says "Can't lookup mount=22".
inline constexpr int32_t kForeignMount = 22;

using Words = std::vector<std::string>;

inline CommandResult Imgtool(Words words) {
  words.insert(words.begin(), RunfilePath("imgtool/imgtool"));
  return RunCommand(words).value();
}

// The line of a process's mountinfo that has this mountpoint; the last of several.
inline std::string MountLine(const std::string& pid, const std::string& mountpoint) {
  std::ifstream lines("/proc/" + pid + "/mountinfo");
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string skipped, at;
    words >> skipped >> skipped >> skipped >> skipped >> at;
    if (at == mountpoint) found = line;
  }
  return found;
}

class MovedContainer : public testing::Test {
 protected:
  void SetUp() override {
    const Result<> available = CheckAvailable(Engine::kCriu);
    if (available.has_error()) GTEST_SKIP() << available.error().message;
    images_ = MakeTestDirectory("images").value();
    repaired_ = MakeTestDirectory("repaired").value() + "/images";
  }

  Container Started(const ContainerOptions& options) {
    Result<Container> started = Container::Start("container", options);
    if (started.has_error()) ADD_FAILURE() << started.error().message;
    Container container = std::move(started).value();
    root_line_ = MountLine(std::to_string(container.pid()), "/");
    return container;
  }

  Container Dumped(const ContainerOptions& options, const Words& more = {}) {
    Container container = Started(options);
    const Result<> dumped = container.Dump(Engine::kCriu, images_, ProcessAfter::kGone, more);
    EXPECT_TRUE(dumped.has_value()) << dumped.error().message;
    return container;
  }

  // `command` with the dump and the place for its repaired form; the report.
  std::string Repaired(const std::string& command, const Words& more) const {
    std::filesystem::remove_all(repaired_);
    Words words = {command, images_, "-o", repaired_};
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult run = Imgtool(words);
    EXPECT_EQ(run.exit_status, 0) << run.errors;
    return run.output;
  }

  std::string ErrorOfRestore(Container& container, Engine engine, const Words& more = {}) const {
    const Result<> restored = container.Restore(engine, images_, more);
    return restored.has_error() ? restored.error().message : "none";
  }

  void ExpectToGoOn(Container& container, const Words& more = {}) const {
    ExpectToGoOnBy(Engine::kCriu, container, more);
    ExpectToGoOnBy(Engine::kOurs, container, more);
  }

  void ExpectToGoOnBy(Engine engine, Container& container, Words more = {}) const {
    // The hierarchies that the dump lists are the machine's, other tests' too.
    more.emplace_back("--manage-cgroups=ignore");
    const Result<> restored = container.Restore(engine, repaired_, more);
    ASSERT_TRUE(restored.has_value()) << Name(engine) << ": " << restored.error().message;
    EXPECT_EQ(container.Verdict().value(), "pass") << Name(engine);
  }

  std::string images_, repaired_, root_line_;
};

}  // namespace ckpt

#endif  // TESTS_FIXUP_MOVED_CONTAINER_H_
