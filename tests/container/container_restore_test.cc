// What ckpt-restore does with a container beside what the interop tests show: nothing is left where
// it fails, and what it makes around the tasks is what was there.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "restorer/make_tree.h"
#include "restorer/restore.h"
#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"

namespace ckpt {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// A container that was dumped, and has ended.
struct DumpedContainer {
  Container container;
  std::string images;
};

Result<DumpedContainer> DumpContainer(const std::string& name, const ContainerOptions& options) {
  CKPT_TRY(const std::string images, MakeTestDirectory(name + "-images"));
  CKPT_TRY(Container container, Container::Start(name, options));
  CKPT_TRY(container.Dump(Engine::kOurs, images));
  return DumpedContainer{std::move(container), images};
}

RestoreOptions OptionsFor(const DumpedContainer& dumped) {
  RestoreOptions options{.images_dir = dumped.images, .root = dumped.container.root()};
  for (const char* file : {"hosts", "resolv.conf", "hostname"}) {
    options.external_mounts[file] = dumped.container.HostFile(file);
  }
  return options;
}

std::string Mounts() { return ReadWholeFile("/proc/self/mountinfo").value(); }

// What is in the container's root directory, with types, sizes and times, but those of directories:
// a deleted file has a name there for a moment.
std::string FilesOf(const Container& container) {
  return RunCommandWell({"find", container.root(), "-type", "d", "-printf", "%P/\\n", "-o",
                         "-printf", "%P %y %s %T@ %C@\\n"})
      .value()
      .output;
}

bool HasChildren() { return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

// Restores, and expects an error and nothing else.
std::string CleanErrorOf(const RestoreOptions& options, const Container& container) {
  const std::string mounts = Mounts();
  const std::string files = FilesOf(container);
  const size_t descriptors = ListDirectory("/proc/self/fd").value().size();
  Log log;
  const Result<pid_t> restored = Restore(options, log);
  EXPECT_TRUE(restored.has_error());
  EXPECT_EQ(Mounts(), mounts);
  EXPECT_EQ(FilesOf(container), files);
  EXPECT_EQ(ListDirectory("/proc/self/fd").value().size(), descriptors);
  EXPECT_FALSE(HasChildren());
  return restored.has_error() ? restored.error().message : "";
}

// Restores up to the last step, and returns the names of the steps that there were.
std::set<std::string, std::less<>> StepsOf(const DumpedContainer& dumped) {
  std::set<std::string, std::less<>> steps;
  RestoreOptions options = OptionsFor(dumped);
  options.before_step = [&](std::string_view step) -> Result<> {
    steps.emplace(step);
    if (step == "run") return MakeError(ErrorCode::kSystem, "enough");
    return success();
  };
  EXPECT_THAT(CleanErrorOf(options, dumped.container), HasSubstr("enough"));
  return steps;
}

TEST(ContainerRestore, AFailureAtAnyStepLeavesNothing) {
  const Result<DumpedContainer> dumped =
      DumpContainer("failing", {.program = "mounts", .under_init = true, .propagation = true});
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const std::set<std::string, std::less<>> steps = StepsOf(dumped.value());
  for (const std::string_view step : RestoreStepNames()) EXPECT_TRUE(steps.contains(step)) << step;
  for (const std::string_view step : kTreeSteps) EXPECT_TRUE(steps.contains(step)) << step;
  for (const std::string& failing : steps) {
    SCOPED_TRACE(failing);
    RestoreOptions options = OptionsFor(dumped.value());
    options.before_step = [&](std::string_view step) -> Result<> {
      if (step == failing) return MakeError(ErrorCode::kSystem, "failed for the test");
      return success();
    };
    EXPECT_THAT(CleanErrorOf(options, dumped.value().container), HasSubstr("failed for the test"));
  }
}

TEST(ContainerRestore, AMissingMountpointIsNamedAndNotMade) {
  const Result<DumpedContainer> dumped = DumpContainer("mountpoint", {.program = "counter"});
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const Container& container = dumped.value().container;
  ASSERT_EQ(rmdir((container.root() + "/ro").c_str()), 0);
  const std::string error = CleanErrorOf(OptionsFor(dumped.value()), container);
  EXPECT_THAT(error, HasSubstr(" at /ro: "));
  EXPECT_THAT(error, EndsWith("ro: No such file or directory (ENOENT)"));
}

TEST(ContainerRestore, AnExternalMountThatIsNowhereIsNamed) {
  const Result<DumpedContainer> dumped = DumpContainer("external", {.program = "counter"});
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  RestoreOptions options = OptionsFor(dumped.value());
  options.external_mounts["hosts"] = "/nowhere/hosts";
  EXPECT_THAT(CleanErrorOf(options, dumped.value().container), HasSubstr("/nowhere/hosts"));
  options.external_mounts.erase("hosts");
  EXPECT_THAT(CleanErrorOf(options, dumped.value().container),
              HasSubstr("at /etc/hosts: is an external mount, and no --ext-mount-map hosts:PATH"));
}

TEST(ContainerRestore, ThousandsOfBindMountsComeBack) {
  const std::string images = MakeTestDirectory("binds-images").value();
  Result<Container> started =
      Container::Start("binds", {.program = "counter", .bind_mounts = 2000});
  ASSERT_TRUE(started.has_value()) << started.error().message;
  Container& container = started.value();
  const std::string before = container.Snapshot().value();
  const Result<> dumped = container.Dump(Engine::kOurs, images);
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const Result<> restored = container.Restore(Engine::kOurs, images);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(container.Snapshot().value(), before);
  EXPECT_EQ(container.Verdict().value(), "pass");
}

}  // namespace
}  // namespace ckpt
