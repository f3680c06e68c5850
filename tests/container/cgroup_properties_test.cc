// Properties of control groups: those of version 2 that this machine lets be set, and those of a
// dump that the machine of the restore does not have.
#include <fcntl.h>
#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

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

struct Version2Case {
  const char* name;
  std::map<std::string, std::string> properties;  // those of controllers where there are such
};

const Version2Case kVersion2[] = {
    {"Limits",
     {{"cgroup.max.descendants", "7"},
      {"cgroup.max.depth", "3"},
      {"memory.max", "1073741824"},
      {"pids.max", "77"},
      {"cpu.weight", "55"},
      {"cpu.max", "50000 100000"},
      {kHugetlbLimit, "4194304"}}},
    {"Threaded", {{"cgroup.type", "threaded"}}},
};

void PrintTo(const Version2Case& version2, std::ostream* out) { *out << version2.name; }

using Version2Combination = std::tuple<Version2Case, Engine, Engine>;
class PropertiesOfVersion2 : public testing::TestWithParam<Version2Combination> {};

TEST_P(PropertiesOfVersion2, ComeBack) {
  const auto& [version2, dumper, restorer] = GetParam();
  for (const Engine engine : {dumper, restorer}) {
    const Result<> available = CheckAvailable(engine);
    if (available.has_error()) GTEST_SKIP() << available.error().message;
  }
  const HugetlbController hugetlb(UnifiedHierarchy());
  const Group group(UnifiedHierarchy());
  if (!group.Exists()) GTEST_SKIP() << "no hierarchy of version 2 to make a group in";
  std::map<std::string, std::string> set;
  for (const auto& [property, value] : version2.properties) {
    // CRIU does not know the last one.
    if (!group.Has(property) || (dumper == Engine::kCriu && property == kHugetlbLimit)) continue;
    ASSERT_TRUE(group.Set(property, value).has_value()) << property;
    set[property] = value + "\n";
  }
  ASSERT_FALSE(set.empty());
  Result<DumpedContainer> result = DumpIn(group, dumper, "counter");
  ASSERT_TRUE(result.has_value()) << result.error().message;
  Container& container = result.value().container;
  group.Remove();
  ASSERT_FALSE(group.Exists());
  const Result<> restored =
      container.Restore(restorer, result.value().images, {"--manage-cgroups=soft"});
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  for (const auto& [property, value] : set) EXPECT_EQ(group.Get(property), value) << property;
  EXPECT_EQ(GroupOf(container.pid(), ""), "/" + group.name());
  EXPECT_EQ(container.Verdict().value(), "pass");
}

INSTANTIATE_TEST_SUITE_P(Cases, PropertiesOfVersion2,
                         testing::Combine(testing::ValuesIn(kVersion2),
                                          testing::Values(Engine::kOurs, Engine::kCriu),
                                          testing::Values(Engine::kOurs, Engine::kCriu)),
                         [](const auto& param) {
                           return fmt::format(
                               "{}_dumpedBy{}_restoredBy{}", std::get<0>(param.param).name,
                               Name(std::get<1>(param.param)), Name(std::get<2>(param.param)));
                         });

std::string RestoreLog(const DumpedContainer& dumped) {
  return ReadWholeFile(dumped.images + "/restore.log").value();
}

TEST(MissingProperty, OfAControllerThatIsNotThereIsAWarning) {
  std::optional<HugetlbController> hugetlb(UnifiedHierarchy());
  Group group(UnifiedHierarchy());
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
  Group group(PidsHierarchy());
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
