// Properties of control groups: those that this machine lets be set, and those of a dump that the
// machine of the restore does not have.
#include <fcntl.h>
#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file.h"
#include "tests/container/control_group.h"
#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

constexpr const char* kHugetlbLimit = "hugetlb.2MB.max";

// The one controller that hierarchies of version 1 often leave to that of version 2: groups have it
// while there is such an object, and as before afterwards.
class HugetlbController {
 public:
  explicit HugetlbController(const std::string& hierarchy)
      : file_(hierarchy + "/cgroup.subtree_control"), was_there_(IsThere()) {
    if (!was_there_) Write("+hugetlb");
  }
  HugetlbController(const HugetlbController&) = delete;
  HugetlbController& operator=(const HugetlbController&) = delete;
  ~HugetlbController() {
    if (!was_there_) Write("-hugetlb");
  }

 private:
  bool IsThere() const {
    const Result<std::string> names = ReadWholeFile(file_);
    return names.has_value() && names.value().find("hugetlb") != std::string::npos;
  }
  void Write(std::string_view change) const {
    const Result<UniqueFd> file = OpenFile(file_, O_WRONLY);
    if (file.has_value()) static_cast<void>(WriteAll(file.value().get(), AsBytes(change), file_));
  }

  const std::string file_;
  const bool was_there_;
};

struct PropertiesCase {
  const char* name;
  const char* controller;  // of version 1; "" for version 2
  // In the order in which they are set; where the machine has not one, the others.
  std::vector<std::pair<std::string, std::string>> set;
  std::vector<std::string> compared;
};

const PropertiesCase kProperties[] = {
    {"Version2Limits",
     "",
     {{"cgroup.max.descendants", "7"},
      {"cgroup.max.depth", "3"},
      {"memory.max", "1073741824"},
      {"pids.max", "77"},
      {"cpu.weight", "55"},
      {"cpu.max", "50000 100000"},
      {kHugetlbLimit, "4194304"}},
     {"cgroup.max.descendants", "cgroup.max.depth", "memory.max", "pids.max", "cpu.weight",
      "cpu.max", kHugetlbLimit}},
    {"Version2Threaded", "", {{"cgroup.type", "threaded"}}, {"cgroup.type"}},
    {"Memory",
     "memory",
     {{"memory.limit_in_bytes", "1073741824"},
      {"memory.soft_limit_in_bytes", "536870912"},
      {"memory.swappiness", "33"},
      {"memory.oom_control", "1"}},
     {"memory.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.swappiness",
      "memory.oom_control"}},
    {"Cpu",
     "cpu",
     {{"cpu.shares", "512"}, {"cpu.cfs_period_us", "50000"}, {"cpu.cfs_quota_us", "25000"}},
     {"cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us"}},
    // Without these nobody can join it.
    {"Cpuset",
     "cpuset",
     {{"cpuset.cpus", "0"}, {"cpuset.mems", "0"}, {"cpuset.memory_migrate", "1"}},
     {"cpuset.cpus", "cpuset.mems", "cpuset.memory_migrate"}},
    // Nodes can be made that cannot be opened.
    {"Devices",
     "devices",
     {{"devices.deny", "a"},
      {"devices.allow", "c *:* m"},
      {"devices.allow", "c 1:3 rwm"},
      {"devices.allow", "c 1:5 rwm"}},
     {"devices.list"}},
};

void PrintTo(const PropertiesCase& properties, std::ostream* out) { *out << properties.name; }

// Of those that the machine has, and that are not what every group has.
std::map<std::string, std::string> Values(const Group& group, const PropertiesCase& properties) {
  const Group other(HierarchyOf(properties.controller));
  std::map<std::string, std::string> values;
  for (const std::string& name : properties.compared) {
    if (group.Get(name) != other.Get(name)) values[name] = group.Get(name);
  }
  return values;
}

using PropertiesCombination = std::tuple<PropertiesCase, Engine, Engine>;
class CgroupProperties : public testing::TestWithParam<PropertiesCombination> {};

TEST_P(CgroupProperties, ComeBack) {
  const auto& [properties, dumper, restorer] = GetParam();
  for (const Engine engine : {dumper, restorer}) {
    const Result<> available = CheckAvailable(engine);
    if (available.has_error()) GTEST_SKIP() << available.error().message;
  }
  const HugetlbController hugetlb(HierarchyOf(""));
  const Group group(HierarchyOf(properties.controller));
  if (!group.Exists()) GTEST_SKIP() << "no such hierarchy to make a group in";
  for (const auto& [property, value] : properties.set) {
    // CRIU does not know the last one.
    if (!group.Has(property) || (dumper == Engine::kCriu && property == kHugetlbLimit)) continue;
    ASSERT_TRUE(group.Set(property, value).has_value()) << property;
  }
  const std::map<std::string, std::string> before = Values(group, properties);
  ASSERT_FALSE(before.empty());
  Result<DumpedContainer> dumped = DumpIn(group, dumper, "counter");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  Container& container = dumped.value().container;
  group.Remove();
  ASSERT_FALSE(group.Exists());
  const Result<> restored =
      container.Restore(restorer, dumped.value().images, {"--manage-cgroups=soft"});
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(Values(group, properties), before);
  EXPECT_EQ(GroupOf(container.pid(), properties.controller), "/" + group.name());
  EXPECT_EQ(container.Verdict().value(), "pass");
}

std::string CombinationName(const testing::TestParamInfo<PropertiesCombination>& info) {
  const auto& [properties, dumper, restorer] = info.param;
  return fmt::format("{}_dumpedBy{}_restoredBy{}", properties.name, Name(dumper), Name(restorer));
}

INSTANTIATE_TEST_SUITE_P(Cases, CgroupProperties,
                         testing::Combine(testing::ValuesIn(kProperties),
                                          testing::Values(Engine::kOurs, Engine::kCriu),
                                          testing::Values(Engine::kOurs, Engine::kCriu)),
                         CombinationName);

std::string RestoreLog(const DumpedContainer& dumped) {
  return ReadWholeFile(dumped.images + "/restore.log").value();
}

TEST(MissingProperty, OfAControllerThatIsNotThereIsAWarning) {
  std::optional<HugetlbController> hugetlb(HierarchyOf(""));
  Group group(HierarchyOf(""));
  if (!group.Has(kHugetlbLimit)) GTEST_SKIP() << "no controller hugetlb of version 2";
  ASSERT_TRUE(group.Set(kHugetlbLimit, "4194304").has_value());
  ASSERT_TRUE(group.Set("cgroup.max.depth", "3").has_value());
  Result<DumpedContainer> dumped = DumpIn(group, Engine::kOurs, "counter");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  group.Remove();
  hugetlb.reset();
  Container& container = dumped.value().container;
  const Result<> restored = container.Restore(Engine::kOurs, dumped.value().images);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  ASSERT_FALSE(group.Has(kHugetlbLimit));
  EXPECT_THAT(RestoreLog(dumped.value()),
              HasSubstr(fmt::format("Warning: cgroup.img: :/{}: 4194304 to {}: No such file",
                                    group.name(), kHugetlbLimit)));
  EXPECT_EQ(group.Get("cgroup.max.depth"), "3\n");
  EXPECT_EQ(GroupOf(container.pid(), ""), "/" + group.name());
  EXPECT_EQ(container.Verdict().value(), "pass");
}

struct MissingCase {
  const char* mode;
  bool is_group_there;
  bool warns;
};

constexpr MissingCase kMissing[] = {
    {"ignore", false, false}, {"none", true, false}, {"props", true, true}, {"soft", true, false},
    {"soft", false, true},    {"full", true, true},  {"full", false, true}, {"strict", false, true},
};

// Of a kernel that has the property under another name.
Result<> RenamePidsMax(const std::string& images) {
  const std::string imgtool = RunfilePath("imgtool/imgtool");
  CKPT_TRY(
      RunCommandWell({"sh", "-ec",
                      "\"$0\" decode \"$1\" | sed 's/\"pids.max\"/\"pids.most\"/' >\"$1.json\";"
                      "\"$0\" encode \"$1.json\" -o \"$1\"; rm \"$1.json\"",
                      imgtool, images + "/cgroup.img"}));
  return success();
}

class MissingPropertyInMode : public testing::TestWithParam<MissingCase> {};

TEST_P(MissingPropertyInMode, IsAWarningWhereItIsToBeSet) {
  Group group(HierarchyOf("pids"));
  if (!group.Exists()) GTEST_SKIP() << "no hierarchy of pids to make a group in";
  ASSERT_TRUE(group.Set("pids.max", "77").has_value());
  Result<DumpedContainer> dumped = DumpIn(group, Engine::kOurs, "counter");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const Result<> renamed = RenamePidsMax(dumped.value().images);
  ASSERT_TRUE(renamed.has_value()) << renamed.error().message;
  group.Remove();
  if (GetParam().is_group_there) group.Make();
  Container& container = dumped.value().container;
  const Result<> restored = container.Restore(
      Engine::kOurs, dumped.value().images, {fmt::format("--manage-cgroups={}", GetParam().mode)});
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  const std::string warning =
      fmt::format("cgroup.img: pids:/{}: 77 to pids.most: No such file", group.name());
  EXPECT_EQ(RestoreLog(dumped.value()).find(warning) != std::string::npos, GetParam().warns);
  EXPECT_EQ(container.Verdict().value(), "pass");
}

INSTANTIATE_TEST_SUITE_P(Modes, MissingPropertyInMode, testing::ValuesIn(kMissing),
                         [](const auto& param) {
                           return fmt::format("{}{}", param.param.mode,
                                              param.param.is_group_there ? "WhereTheGroupIs" : "");
                         });

}  // namespace
}  // namespace ckpt
