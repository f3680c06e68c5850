// Containers in control groups of their own: what a dump keeps of them, and what a restore makes of
// it in each mode of --manage-cgroups, by our programs and by CRIU's.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file.h"
#include "restorer/restore.h"
#include "tests/container/control_group.h"
#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

// What a mode does with a group whose pids.max was 77: where it is missing, and where it is there
// with another one, 55.
struct ModeCase {
  const char* mode;
  const char* pids_max_if_missing;  // null: the restore fails
  const char* pids_max_if_there;    // likewise
  bool joins = true;
};

constexpr ModeCase kModes[] = {
    {"ignore", "", "55\n", false}, {"none", nullptr, "55\n"}, {"props", nullptr, "77\n"},
    {"soft", "77\n", "55\n"},      {"full", "77\n", "77\n"},  {"strict", "77\n", nullptr},
};

void PrintTo(const ModeCase& mode, std::ostream* out) { *out << mode.mode; }

std::string WhyNot(const std::vector<Engine>& engines) {
  for (const Engine engine : engines) {
    const Result<> available = CheckAvailable(engine);
    if (available.has_error()) return available.error().message;
  }
  return "";
}

class CgroupModes : public testing::TestWithParam<std::tuple<ModeCase, Engine, Engine>> {
 protected:
  void SetUp() override {
    const auto& [mode, dumper, restorer] = GetParam();
    mode_ = mode;
    restorer_ = restorer;
    if (!group_.Exists()) GTEST_SKIP() << "no hierarchy of pids to make a group in";
    const std::string why_not = WhyNot({dumper, restorer});
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    if (restorer == Engine::kCriu && mode.mode == std::string_view("strict")) {
      GTEST_SKIP()
          << "to CRIU the roots of the other hierarchies are groups that are there already";
    }
    ASSERT_TRUE(group_.Set("pids.max", "77").has_value());
    Result<DumpedContainer> dumped = DumpIn(group_, dumper, "counter");
    ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
    dumped_.emplace(std::move(dumped).value());
    group_.Remove();
    ASSERT_FALSE(group_.Exists());
  }

  // The group is there with `pids_max` afterwards; with null, nothing is.
  void RestoreAndExpect(const char* pids_max) {
    Container& container = dumped_->container;
    const Result<> restored = container.Restore(restorer_, dumped_->images,
                                                {fmt::format("--manage-cgroups={}", mode_.mode)});
    ASSERT_EQ(restored.has_value(), pids_max != nullptr)
        << (restored.has_error() ? restored.error().message : "it is restored");
    if (pids_max == nullptr) return;
    const std::string own = GroupOf(getpid(), "pids");
    EXPECT_EQ(GroupOf(container.pid(), "pids"), mode_.joins ? "/" + group_.name() : own);
    EXPECT_EQ(group_.Exists() ? group_.Get("pids.max") : "", pids_max);
    EXPECT_EQ(container.Verdict().value(), "pass");
  }

  Group group_{HierarchyOf("pids")};
  ModeCase mode_{};
  Engine restorer_ = Engine::kOurs;
  std::optional<DumpedContainer> dumped_;  // goes before the group
};

TEST_P(CgroupModes, AGroupThatIsMissing) {
  RestoreAndExpect(mode_.pids_max_if_missing);
  EXPECT_TRUE(mode_.pids_max_if_missing != nullptr || !group_.Exists());
}

TEST_P(CgroupModes, AGroupThatIsThere) {
  group_.Make();
  ASSERT_TRUE(group_.Set("pids.max", "55").has_value());
  RestoreAndExpect(mode_.pids_max_if_there);
  EXPECT_TRUE(mode_.pids_max_if_there != nullptr || group_.Get("pids.max") == "55\n");
}

std::string CaseName(const testing::TestParamInfo<std::tuple<ModeCase, Engine, Engine>>& info) {
  const auto& [mode, dumper, restorer] = info.param;
  return fmt::format("{}_dumpedBy{}_restoredBy{}", mode.mode, Name(dumper), Name(restorer));
}

INSTANTIATE_TEST_SUITE_P(Modes, CgroupModes,
                         testing::Combine(testing::ValuesIn(kModes),
                                          testing::Values(Engine::kOurs, Engine::kCriu),
                                          testing::Values(Engine::kOurs, Engine::kCriu)),
                         CaseName);

RestoreOptions OptionsFor(const DumpedContainer& dumped) {
  RestoreOptions options{.images_dir = dumped.images, .root = dumped.container.root()};
  for (const char* file : {"hosts", "resolv.conf", "hostname"}) {
    options.external_mounts[file] = dumped.container.HostFile(file);
  }
  return options;
}

// A dump of a container in a group that is gone since.
class RemovedGroup : public testing::Test {
 protected:
  void SetUp() override {
    if (!group_.Exists()) GTEST_SKIP() << "no hierarchy of pids to make a group in";
    Result<DumpedContainer> dumped = DumpIn(group_, Engine::kOurs, "counter");
    ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
    group_.Remove();
    options_ = OptionsFor(dumped.value());
    dumped_.emplace(std::move(dumped).value());
  }

  Group group_{HierarchyOf("pids")};
  std::optional<DumpedContainer> dumped_;
  RestoreOptions options_;
};

TEST_F(RemovedGroup, IsNotThereAfterAFailureAtAnyStep) {
  bool was_there = false;
  for (const std::string_view failing : RestoreStepNames()) {
    SCOPED_TRACE(failing);
    options_.before_step = [&](std::string_view step) -> Result<> {
      was_there = was_there || group_.Exists();
      if (step == failing) return MakeError(ErrorCode::kSystem, "failed for the test");
      return success();
    };
    Log log;
    EXPECT_THAT(Restore(options_, log).error().message, HasSubstr("failed for the test"));
    EXPECT_FALSE(group_.Exists());
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  }
  EXPECT_TRUE(was_there);
}

TEST_F(RemovedGroup, IsNamedWhereItMustBeThere) {
  options_.cgroups.mode = CgroupMode::kNone;
  Log log;
  EXPECT_EQ(
      Restore(options_, log).error().message,
      fmt::format("cgroup.img: pids:/{}: is not there, and is not to be made", group_.name()));
}

// A hierarchy of version 1 without controllers, which is there as long as it is mounted or has a
// group; the kernel lets go of a group that was removed a little later.
class NamedHierarchy {
 public:
  NamedHierarchy() { Mount(); }
  ~NamedHierarchy() { Remove(); }
  NamedHierarchy(const NamedHierarchy&) = delete;
  NamedHierarchy& operator=(const NamedHierarchy&) = delete;

  const std::string& name() const { return name_; }
  const std::string& place() const { return place_; }
  bool IsMounted() const { return is_mounted_; }
  bool IsThere() const {
    return ReadWholeFile("/proc/self/cgroup").value().find(name_) != std::string::npos;
  }
  // One that was unmounted too early stays until it has been mounted once more.
  void Remove() {
    constexpr int kTries = 20;
    Unmount();
    for (int i = 0; i < kTries && !IsGoneSoon(); ++i) {
      Mount();
      Unmount();
    }
  }

 private:
  bool IsGoneSoon() const {
    constexpr int kLooks = 5'000;
    for (int look = 0; look < kLooks; ++look) {
      if (!IsThere()) return true;
      sched_yield();
    }
    return false;
  }
  void Mount() {
    const std::string options = "none,name=" + name_;
    is_mounted_ = mount("none", place_.c_str(), "cgroup", 0, options.c_str()) == 0;
  }
  void Unmount() {
    if (std::exchange(is_mounted_, false)) umount(place_.c_str());
  }

  const std::string name_ = UniqueName();
  const std::string place_ = MakeTestDirectory("hierarchy").value();
  bool is_mounted_ = false;
};

TEST(Cgroup, AHierarchyThatIsMissingAtRestoreIsAWarning) {
  NamedHierarchy hierarchy;
  if (!hierarchy.IsMounted()) {
    GTEST_SKIP() << "cannot mount a hierarchy of version 1 without controllers";
  }
  std::optional<Group> group(hierarchy.place());
  Result<DumpedContainer> dumped = DumpIn(*group, Engine::kOurs, "counter");
  group.reset();
  hierarchy.Remove();
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  ASSERT_FALSE(hierarchy.IsThere());
  const Result<> restored = dumped.value().container.Restore(Engine::kOurs, dumped.value().images);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_THAT(ReadWholeFile(dumped.value().images + "/restore.log").value(),
              HasSubstr("cgroup.img: there is no hierarchy of name=" + hierarchy.name() +
                        " here: processes are not put into it"));
  EXPECT_EQ(dumped.value().container.Verdict().value(), "pass");
}

TEST(Cgroup, AThreadInOtherGroupsThanItsProcessIsNamed) {
  Group group(HierarchyOf("pids"));
  if (!group.Exists()) GTEST_SKIP() << "no hierarchy of pids to make a group in";
  Container container = Container::Start("threads", {.program = "threads"}).value();
  const std::string task = fmt::format("/proc/{}/task", container.pid());
  const std::vector<std::string> threads = ListDirectory(task).value();
  const auto other = std::ranges::find_if(
      threads, [&](const std::string& tid) { return tid != std::to_string(container.pid()); });
  ASSERT_NE(other, threads.end());
  ASSERT_TRUE(group.Set("tasks", *other).has_value());
  const std::string images = MakeTestDirectory("threads-images").value();
  const Result<> dumped = container.Dump(Engine::kOurs, images);
  ASSERT_TRUE(dumped.has_error());
  EXPECT_THAT(dumped.error().message,
              HasSubstr(fmt::format("thread {} of process {} is in other control groups than its "
                                    "first: not supported yet",
                                    *other, container.pid())));
  EXPECT_EQ(container.Verdict().value(), "pass");
}

}  // namespace
}  // namespace ckpt
