// The container that is not dumped: its program passes, and it is where it should be.
#include "tests/harness/container.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <string>

#include "base/file.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Container Started(const ContainerOptions& options) {
  Result<Container> container = Container::Start("container", options);
  if (container.has_error()) ADD_FAILURE() << container.error().message;
  return std::move(container).value();
}

std::string PassesIn(const ContainerOptions& options) {
  Result<Container> container = Container::Start("container", options);
  if (container.has_error()) return container.error().message;
  const Result<std::string> verdict = container.value().Verdict();
  return verdict.has_value() ? verdict.value() : verdict.error().message;
}

TEST(Container, AProgramPassesInADirectory) {
  EXPECT_EQ(PassesIn({.program = "namespaces"}), "pass");
  EXPECT_EQ(PassesIn({.program = "mounts", .propagation = true}), "pass");
}

TEST(Container, AProgramPassesInLayers) {
  EXPECT_EQ(PassesIn({.program = "namespaces", .root = ContainerRoot::kLayers}), "pass");
  EXPECT_EQ(PassesIn({.program = "mounts", .root = ContainerRoot::kLayers, .propagation = true}),
            "pass");
}

TEST(Container, AProgramPassesUnderAnInit) {
  EXPECT_EQ(PassesIn({.program = "namespaces", .under_init = true}), "pass");
}

TEST(Container, AProgramPassesWithSomeNamespacesOnly) {
  EXPECT_EQ(PassesIn({.program = "counter", .namespaces = CLONE_NEWUTS}), "pass");
  EXPECT_EQ(PassesIn({.program = "counter", .namespaces = CLONE_NEWNS}), "pass");
}

TEST(Container, ItsSnapshotHasTasksAndMounts) {
  const Container container = Started({.program = "counter", .under_init = true, .bind_mounts = 3});
  const std::string snapshot = container.Snapshot().value();
  EXPECT_EQ(container.Snapshot().value(), snapshot);
  EXPECT_THAT(snapshot, AllOf(HasSubstr("process 1\n"), HasSubstr("process 2\n"),
                              HasSubstr("exe /bin/counter\n"), HasSubstr("/rootfs / rw,"),
                              HasSubstr(" /binds/2 rw,")));
  EXPECT_THAT(snapshot, HasSubstr(" /ro ro,nosuid,"));
}

// The symptom of AUFS: map_files shows a path that the container does not have.
TEST(Container, AProgramCanBeMappedFromItsLayer) {
  Container container =
      Started({.program = "counter", .root = ContainerRoot::kLayers, .maps_layer = true});
  const std::string layer = container.Layers().back() + "/bin/counter";
  const std::string snapshot = container.Snapshot().value();
  EXPECT_THAT(snapshot, AllOf(HasSubstr("exe /bin/counter\n"), HasSubstr("r-xp " + layer)));
  EXPECT_THAT(snapshot, Not(HasSubstr("r-xp /bin/counter")));
  EXPECT_EQ(container.Verdict().value(), "pass");
}

TEST(Container, LayersCanLieElsewhereLater) {
  Container container = Started({.program = "counter", .root = ContainerRoot::kLayers});
  ASSERT_EQ(container.Verdict().value(), "pass");
  const std::string layer = container.Layers().back();
  ASSERT_TRUE(container.MoveLayers().has_value());
  EXPECT_NE(container.Layers().back(), layer);
  EXPECT_EQ(ReadWholeFile(container.workdir() + "/verdict").value(), "pass");
}

TEST(Container, NothingOfItShowsInTheTest) {
  const std::string before = ReadWholeFile("/proc/self/mountinfo").value();
  EXPECT_EQ(PassesIn({.program = "mounts", .propagation = true}), "pass");
  const std::string after = ReadWholeFile("/proc/self/mountinfo").value();
  EXPECT_THAT(after, Not(HasSubstr("mqueue")));
  EXPECT_THAT(after, HasSubstr(before));
}

}  // namespace
}  // namespace ckpt
