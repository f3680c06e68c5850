// What ckpt-restore does with a container beside what the interop tests show: nothing is left where
// it fails, and what it makes around the tasks is what was there.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
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

// What is in the container's root directory, with types and times.
std::string FilesOf(const Container& container) {
  return RunCommandWell({"find", container.root(), "-printf", "%P %y %s %T@ %C@\\n"})
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
std::set<std::string> StepsOf(const DumpedContainer& dumped) {
  std::set<std::string> steps;
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
  const std::set<std::string> steps = StepsOf(dumped.value());
  ASSERT_GT(steps.size(), 20U);
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

// A name that nobody else on this machine has.
std::string UniqueName() {
  std::string name = ReadWholeFile("/proc/sys/kernel/random/uuid").value();
  name.pop_back();
  return "ckpt-test-" + name;
}

// A group of the version 1 hierarchy of `controller` that is gone with this object.
class Group {
 public:
  explicit Group(const std::string& controller)
      : name_(UniqueName()), path_("/sys/fs/cgroup/" + controller + "/" + name_) {
    std::error_code ignored;
    is_there_ = std::filesystem::create_directories(path_, ignored);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() { Remove(); }

  const std::string& name() const { return name_; }
  bool is_there() const { return is_there_; }
  void Remove() { rmdir(path_.c_str()); }
  bool Exists() const { return access(path_.c_str(), F_OK) == 0; }
  Result<> Set(const std::string& property, const std::string& value) const {
    CKPT_TRY(const UniqueFd file, OpenFile(path_ + "/" + property, O_WRONLY));
    return WriteAll(file.get(), AsBytes(value), property);
  }
  std::string Get(const std::string& property) const {
    return ReadWholeFile(path_ + "/" + property).value();
  }

 private:
  std::string name_, path_;
  bool is_there_ = false;
};

class CgroupRestore : public testing::TestWithParam<Engine> {
 protected:
  // Dumps a container in a group that limits its pids to 77, and removes the group.
  void DumpInGroup(Group& group) {
    if (!group.is_there()) GTEST_SKIP() << "no hierarchy of pids to make a group in";
    const Result<> available = CheckAvailable(GetParam());
    if (available.has_error()) GTEST_SKIP() << available.error().message;
    images_ = MakeTestDirectory(fmt::format("group-{}-images", Name(GetParam()))).value();
    Result<Container> started =
        Container::Start(fmt::format("group-{}", Name(GetParam())), {.program = "counter"});
    ASSERT_TRUE(started.has_value()) << started.error().message;
    container_.emplace(std::move(started).value());
    ASSERT_TRUE(group.Set("pids.max", "77").has_value());
    ASSERT_TRUE(group.Set("cgroup.procs", std::to_string(container_->pid())).has_value());
    const Result<> dumped =
        container_->Dump(GetParam(), images_, ProcessAfter::kGone, {"--manage-cgroups=full"});
    ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
    group.Remove();
    ASSERT_FALSE(group.Exists());
  }

  std::string images_;
  std::optional<Container> container_;
};

TEST_P(CgroupRestore, AContainerComesBackIntoItsGroup) {
  Group group("pids");
  ASSERT_NO_FATAL_FAILURE(DumpInGroup(group));
  if (IsSkipped()) return;
  const Result<> restored = container_->Restore(Engine::kOurs, images_);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(group.Get("pids.max"), "77\n");
  EXPECT_EQ(group.Get("cgroup.procs"), fmt::format("{}\n", container_->pid()));
  EXPECT_EQ(container_->Verdict().value(), "pass");
  container_.reset();  // before its group
}

TEST_P(CgroupRestore, AGroupThatWasMadeGoesWhenTheRestoreFails) {
  Group group("pids");
  ASSERT_NO_FATAL_FAILURE(DumpInGroup(group));
  if (IsSkipped()) return;
  RestoreOptions options = OptionsFor({std::move(*container_), images_});
  bool was_there = false;
  options.before_step = [&](std::string_view step) -> Result<> {
    was_there = was_there || group.Exists();
    if (step == "run") return MakeError(ErrorCode::kSystem, "failed for the test");
    return success();
  };
  Log log;
  EXPECT_THAT(Restore(options, log).error().message, HasSubstr("failed for the test"));
  EXPECT_TRUE(was_there);
  EXPECT_FALSE(group.Exists());
  EXPECT_FALSE(HasChildren());
}

TEST_P(CgroupRestore, AGroupThatMustBeThereIsNamed) {
  Group group("pids");
  ASSERT_NO_FATAL_FAILURE(DumpInGroup(group));
  if (IsSkipped()) return;
  RestoreOptions options = OptionsFor({std::move(*container_), images_});
  options.cgroups.mode = CgroupMode::kNone;
  Log log;
  EXPECT_EQ(Restore(options, log).error().message,
            fmt::format("cgroup.img: pids:/{}: is not there, and is not to be made", group.name()));
  EXPECT_FALSE(group.Exists());
}

std::string EngineName(const testing::TestParamInfo<Engine>& info) {
  return std::string(Name(info.param));
}

INSTANTIATE_TEST_SUITE_P(Dumpers, CgroupRestore, testing::Values(Engine::kOurs, Engine::kCriu),
                         EngineName);

}  // namespace
}  // namespace ckpt
