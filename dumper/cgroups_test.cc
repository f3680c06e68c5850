#include "dumper/cgroups.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "dumper/cgroup_directory.h"

namespace ckpt {
namespace {

using testing::ElementsAre;

TEST(Cgroups, SetsAreByName) {
  const CgroupSet set = ParseCgroupSet(
                            "9:name=systemd:/\n"
                            "2:cpu,cpuacct:/docker/a:b\n"
                            "0::/init.scope\n")
                            .value();
  EXPECT_THAT(
      set, ElementsAre(CgroupMember{"", "/init.scope"}, CgroupMember{"cpu,cpuacct", "/docker/a:b"},
                       CgroupMember{"name=systemd", "/"}));
}

TEST(Cgroups, ALineThatIsNoneIsNamed) {
  EXPECT_EQ(ParseCgroupSet("0::/\nx:cpu:/\n").error().message,
            "line 2: found \"x:cpu:/\", expected \"number:controllers:path\"");
  EXPECT_EQ(ParseCgroupSet("4:memory").error().message,
            "line 1: found \"4:memory\", expected \"number:controllers:path\"");
}

TEST(Cgroups, WhoIsInTheDumpersSetNeedsNoImage) {
  const Cgroups cgroups =
      ReadCgroups({getpid()}, ReadDumperCgroups().value(), CgroupMode::kProperties, {}).value();
  EXPECT_EQ(cgroups.set_of.at(getpid()), kDumperCgroupSet);
  EXPECT_FALSE(cgroups.entry.has_value());
}

// Directories stand in for those of a hierarchy: properties are files.
class CgroupDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::string(getenv("TEST_TMPDIR")) + "/hierarchy";
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ + "/group/below");
    Write("/group/cpu.shares", "512\n");
    Write("/group/tasks", "1\n2\n");
    Write("/group/memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n");
    Write("/group/below/pids.max", "max\n");
    Write("/pids.max", "7\n");
    Write("/group/cpu.stat", "usage_usec 1\n");
  }
  void Write(const std::string& path, const std::string& text) const {
    std::ofstream(root_ + path) << text;
    ASSERT_EQ(chmod((root_ + path).c_str(), 0640), 0);
  }
  static std::vector<std::string> Properties(const pb::cgroup_dir_entry& entry) {
    std::vector<std::string> texts;
    for (const pb::cgroup_prop_entry& property : entry.properties()) {
      texts.push_back(property.name() + "=" + property.value());
    }
    return texts;
  }

  std::string root_;
};

TEST_F(CgroupDirectoryTest, AGroupHasPropertiesAndWhatIsBelow) {
  const pb::cgroup_dir_entry entry = ReadCgroupDirectory(root_, "/group", false).value();
  EXPECT_EQ(entry.dir_name(), "group");
  EXPECT_EQ(entry.dir_perms().mode() & S_IFMT, static_cast<uint32_t>(S_IFDIR));
  EXPECT_THAT(Properties(entry), ElementsAre("cpu.shares=512", "memory.oom_control=1", "tasks="));
  EXPECT_EQ(entry.properties(0).perms().mode(), S_IFREG | 0640U);
  ASSERT_EQ(entry.children_size(), 1);
  EXPECT_EQ(entry.children(0).dir_name(), "below");
  EXPECT_THAT(Properties(entry.children(0)), ElementsAre("pids.max=max"));
}

TEST_F(CgroupDirectoryTest, TheRootHasNothingBelow) {
  const pb::cgroup_dir_entry entry = ReadCgroupDirectory(root_, "/", true).value();
  EXPECT_EQ(entry.dir_name(), "");
  EXPECT_THAT(Properties(entry), ElementsAre("pids.max=7"));
  EXPECT_EQ(entry.children_size(), 0);
}

TEST_F(CgroupDirectoryTest, AGroupThatIsNotThereIsNamed) {
  EXPECT_EQ(ReadCgroupDirectory(root_, "/gone", false).error().message,
            "stat(\"" + root_ + "/gone\"): No such file or directory (ENOENT)");
}

}  // namespace
}  // namespace ckpt
