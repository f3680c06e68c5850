// What ckpt-dump says of containers that it cannot dump, and what it makes of those that need care.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "dumper/dump.h"
#include "process/joined_namespaces.h"
#include "process/kernel_features.h"
#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"
#include "tests/harness/snapshot.h"

namespace ckpt {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Container Started(const ContainerOptions& options) {
  Result<Container> container = Container::Start("container", options);
  if (container.has_error()) ADD_FAILURE() << container.error().message;
  return std::move(container).value();
}

// What the dump says; it has written nothing, and the container runs on.
std::string ErrorOfDump(Container& container, const std::vector<std::string>& more = {}) {
  const std::string images = MakeTestDirectory("images").value();
  const Result<> dumped = container.Dump(Engine::kOurs, images, ProcessAfter::kRunning, more);
  EXPECT_THAT(ListDirectory(images).value(), ElementsAre("dump.log"));
  return dumped.has_error() ? dumped.error().message : "";
}

std::string Imgtool(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {RunfilePath("imgtool/imgtool")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Result<CommandResult> result = RunCommandWell(command);
  if (result.has_error()) ADD_FAILURE() << result.error().message;
  return result.has_value() ? result.value().output : "";
}

TEST(ContainerDump, MountsOfOutsideWithoutAKeyAreNamedAllAtOnce) {
  Container container = Started({.program = "counter", .names_externals = false});
  const std::string error = ErrorOfDump(container);
  for (const char* name : {"hosts", "resolv.conf", "hostname"}) {
    EXPECT_THAT(error, ContainsRegex(fmt::format("mount [0-9]+ at /etc/{} \\(.*it cannot be made "
                                                 "anew; is it external",
                                                 name)));
  }
  EXPECT_EQ(container.Verdict().value(), "pass");
}

TEST(ContainerDump, OtherNetworkDevicesAreNamed) {
  Container container = Started({.program = "counter"});
  const Result<> added = RunInNamespacesOf(container.pid(), CLONE_NEWNET, []() -> Result<> {
    CKPT_TRY(RunCommandWell({"ip", "link", "add", "pair0", "type", "veth", "peer", "pair1"}));
    return success();
  });
  if (added.has_error()) GTEST_SKIP() << "no veth devices: " << added.error().message;
  EXPECT_THAT(ErrorOfDump(container),
              AllOf(HasSubstr("network device pair0 (veth) in its network namespace"),
                    HasSubstr("network device pair1 (veth) in its network namespace")));
  EXPECT_EQ(container.Verdict().value(), "pass");
}

// Each of these commands is one that a kernel without such rules refuses.
TEST(ContainerDump, RulesInTheNetworkNamespaceAreNamedAllAtOnce) {
  const std::vector<std::pair<std::string, std::string>> rules = {
      {"ip route add local 192.0.2.0/24 dev lo", "IPv4 routes"},
      {"ip rule add pref 5 table 7", "IPv4 routing rule 5 (table 7)"},
      {"iptables-legacy -A INPUT -s 192.0.2.1 -j DROP", "iptables table filter"},
      {"iptables-nft -t nat -A INPUT -s 192.0.2.1 -j SNAT --to 192.0.2.2", "nftables table ip nat"},
      {"ip xfrm policy add dir out dst 192.0.2.0/24", "IPsec policies"}};
  Container container = Started({.program = "counter"});
  std::vector<std::string> expected;
  for (const auto& [command, finding] : rules) {
    const Result<> made = RunInNamespacesOf(container.pid(), CLONE_NEWNET, [&]() -> Result<> {
      CKPT_TRY(RunCommandWell({"sh", "-c", "PATH=$PATH:/usr/sbin; " + command}));
      return success();
    });
    if (made.has_value()) expected.push_back(finding + " in its network namespace");
  }
  if (expected.empty()) GTEST_SKIP() << "this kernel has no rules for packets";
  const std::string error = ErrorOfDump(container);
  for (const std::string& finding : expected) EXPECT_THAT(error, HasSubstr(finding));
  EXPECT_EQ(container.Verdict().value(), "pass");
}

Result<> MakeIpcObjects(const Container& container) {
  return RunInNamespacesOf(container.pid(), CLONE_NEWIPC, []() -> Result<> {
    if (shmget(77, 4096, IPC_CREAT | 0600) < 0) return ErrnoError(errno, "shmget(77)");
    const UniqueFd queue(mq_open("/queue", O_RDWR | O_CREAT | O_CLOEXEC, 0600, nullptr));
    if (!queue.valid()) return ErrnoError(errno, "mq_open(\"/queue\")");
    return success();
  });
}

TEST(ContainerDump, ObjectsInTheIpcNamespaceAreNamed) {
  Container container = Started({.program = "counter"});
  const Result<> made = MakeIpcObjects(container);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_THAT(ErrorOfDump(container),
              AllOf(HasSubstr("System V shared memory 0 with key 77 in its IPC namespace"),
                    HasSubstr("POSIX message queue queue in its IPC namespace")));
  EXPECT_EQ(container.Verdict().value(), "pass");
}

TEST(ContainerDump, FindingsOfEveryKindAreNamedAtOnce) {
  Container container = Started({.program = "holds_socket",
                                 .under_init = true,
                                 .outside_null = true,
                                 .names_externals = false,
                                 .namespaces = kContainerNamespaces | CLONE_NEWCGROUP});
  const Result<> made = MakeIpcObjects(container);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_THAT(ErrorOfDump(container),
              AllOf(ContainsRegex("it is in another cgroup namespace"), HasSubstr(" socket:["),
                    ContainsRegex("mount [0-9]+ at /etc/hosts \\("),
                    ContainsRegex("file [/a-z]*null: it lies on mount"),
                    HasSubstr("System V shared memory 0"), HasSubstr("POSIX message queue queue")));
  EXPECT_EQ(container.Verdict().value(), "pass");
}

struct ForeignNamespace {
  const char* name;
  unsigned namespaces;
};

class ContainerDumpOfForeign : public testing::TestWithParam<ForeignNamespace> {};

TEST_P(ContainerDumpOfForeign, NamespaceIsNamed) {
  Container container = Started({.program = "counter", .namespaces = GetParam().namespaces});
  EXPECT_THAT(ErrorOfDump(container),
              ContainsRegex(fmt::format("it is in another {0} namespace, {0}:.[0-9]+.: not "
                                        "supported yet",
                                        GetParam().name)));
  EXPECT_EQ(container.Verdict().value(), "pass");
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ContainerDumpOfForeign,
    testing::Values(ForeignNamespace{"user", CLONE_NEWUSER},
                    ForeignNamespace{"cgroup", kContainerNamespaces | CLONE_NEWCGROUP},
                    ForeignNamespace{"time", kContainerNamespaces | CLONE_NEWTIME}),
    [](const auto& param) { return param.param.name; });

TEST(ContainerDump, FilesOfOutsideAreNamed) {
  Container container = Started({.program = "counter", .under_init = true, .outside_null = true});
  EXPECT_THAT(ErrorOfDump(container),
              ContainsRegex("file [/a-z]*null: it lies on mount [0-9]+, which "
                            "is not in the mount namespace of the tree"));
  EXPECT_EQ(container.Verdict().value(), "pass");
}

TEST(ContainerDump, DevicesOfOutsideBecomeThoseInside) {
  Container container = Started({.program = "counter", .under_init = true, .outside_null = true});
  const std::string images = MakeTestDirectory("images").value();
  const Result<> dumped =
      container.Dump(Engine::kOurs, images, ProcessAfter::kGone, {"--evasive-devices"});
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  for (const Engine engine : {Engine::kOurs, Engine::kCriu}) {
    if (CheckAvailable(engine).has_error()) continue;
    const Result<> restored = container.Restore(engine, images);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(container.Verdict().value(), "pass");
  }
}

// Of the layers of a container, where it does not say itself what they are.
std::string WriteMap(const Container& container) {
  std::string text = "branch-map 1\nunion it\n  mountpoint /\n";
  for (const std::string& layer : container.Layers())
    text += fmt::format("  branch rw {}\n", layer);
  const std::string path = MakeTestDirectory("map").value() + "/map";
  std::ofstream(path) << text;
  return path;
}

// That has its layers.
std::string FolderOf(const Container& container) {
  const std::string layer = container.Layers().back();
  return layer.substr(0, layer.rfind('/') + 1);
}

// The kernel shows one more option of an overlay that it has mounted for the first time.
std::string SnapshotOf(const Container& container) {
  return Replaced(container.Snapshot().value(), ",uuid=on", "");
}

struct UnionCase {
  const char* name;
  ContainerRoot root;
  bool layers_apart;  // where stat(2) gives files of the union other devices than the union has
};

constexpr UnionCase kUnions[] = {
    {"Overlay", ContainerRoot::kLayers, false},
    {"OverlayOfSeveralFileSystems", ContainerRoot::kLayers, true},
    {"OneThatIsNotKnown", ContainerRoot::kFuseLayers, false},
};

class ContainerDumpOfUnion : public testing::TestWithParam<UnionCase> {};

// The raw rule: a mapping whose mount the container does not have is written down as the kernel
// gives it, with what is needed to repair it.
TEST_P(ContainerDumpOfUnion, AMappingFromALayerIsDumpedAsTheKernelGivesItAndCanBeRepaired) {
  const Result<> available = CheckAvailable(GetParam().root);
  if (available.has_error()) GTEST_SKIP() << available.error().message;
  Container container = Started({.program = "counter",
                                 .root = GetParam().root,
                                 .layers_apart = GetParam().layers_apart,
                                 .maps_layer = true});
  const std::string before = SnapshotOf(container);
  const std::string layer = container.Layers().back() + "/bin/counter";
  ASSERT_THAT(before, HasSubstr("r-xp " + layer));
  const std::string images = MakeTestDirectory("images").value();
  const Result<> dumped = container.Dump(Engine::kOurs, images);
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  std::vector<std::string> fixup = {"aufs-fixup", images};
  if (GetParam().root == ContainerRoot::kFuseLayers) {
    fixup.insert(fixup.end(), {"--branches", WriteMap(container)});
  }
  const std::string folder = FolderOf(container);
  ASSERT_TRUE(container.MoveLayers().has_value());
  // The text is mapped by its path in the union, and the union has the layers where they are now.
  const std::string expected =
      Replaced(Replaced(before, layer, "/bin/counter"), folder, FolderOf(container));

  const std::string repaired = MakeTestDirectory("repaired").value() + "/images";
  fixup.insert(fixup.end(), {"-o", repaired});
  EXPECT_THAT(Imgtool(fixup),
              HasSubstr(fmt::format("reg.name: \"{}\" -> \"/bin/counter\"", layer)));
  for (const Engine engine : {Engine::kOurs, Engine::kCriu}) {
    if (CheckAvailable(engine).has_error()) continue;
    const Result<> restored = container.Restore(engine, repaired);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(SnapshotOf(container), expected);
    EXPECT_EQ(container.Verdict().value(), "pass");
  }
}

INSTANTIATE_TEST_SUITE_P(Unions, ContainerDumpOfUnion, testing::ValuesIn(kUnions),
                         [](const auto& param) { return param.param.name; });

class ContainerDumpBy : public testing::TestWithParam<Engine> {};

TEST_P(ContainerDumpBy, MountsOfOutsideAreFoundWhereThatIsAskedFor) {
  const Result<> available = CheckAvailable(GetParam());
  if (available.has_error()) GTEST_SKIP() << available.error().message;
  using Words = std::vector<std::string>;
  for (const Words& option : {Words{"--ext-mount-map", "auto"}, Words{"--external", "mnt[]"}}) {
    SCOPED_TRACE(option[1]);
    Container container = Started({.program = "counter", .names_externals = false});
    const std::string images = MakeTestDirectory("images").value();
    const Result<> dumped = container.Dump(GetParam(), images, ProcessAfter::kGone, option);
    ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
    for (const Engine engine : {Engine::kOurs, Engine::kCriu}) {
      if (CheckAvailable(engine).has_error()) continue;
      const Result<> restored = container.Restore(engine, images, option);
      ASSERT_TRUE(restored.has_value()) << restored.error().message;
      EXPECT_EQ(container.Verdict().value(), "pass");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, ContainerDumpBy, testing::Values(Engine::kOurs, Engine::kCriu),
                         [](const auto& param) { return std::string(Name(param.param)); });

TEST(ContainerDump, AFailureBeforeAnyStepLeavesTheContainerRunningAndNoFile) {
  Container container = Started({.program = "mounts", .under_init = true, .propagation = true});
  const std::string before = container.Snapshot().value();
  const std::string images = MakeTestDirectory("images").value();
  DumpOptions options;
  options.pid = container.pid();
  options.images_directory = images;
  options.features = DetectKernelFeatures();
  for (const char* file : {"hosts", "resolv.conf", "hostname"}) {
    options.surroundings.externals.keys[fmt::format("/etc/{}", file)] = file;
  }
  Log log;
  for (const std::string_view failing : kDumpSteps) {
    if (failing == "release") continue;  // the dump is whole by then
    options.before_step = [&](std::string_view step) -> Result<> {
      if (step == failing) return MakeError(ErrorCode::kSystem, "no {}", step);
      return success();
    };
    const auto dumped = Dump(options, log);
    ASSERT_TRUE(dumped.has_error()) << failing;
    EXPECT_EQ(dumped.error().message, fmt::format("no {}", failing));
    EXPECT_THAT(ListDirectory(images).value(), IsEmpty()) << failing;
    EXPECT_EQ(container.Snapshot().value(), before) << failing;
  }
  EXPECT_EQ(container.Verdict().value(), "pass");
}

TEST(ContainerDump, AnOlderKernelDoes) {
  Container container = Started({.program = "mounts", .under_init = true, .propagation = true});
  const std::string before = container.Snapshot().value();
  const std::string images = MakeTestDirectory("images").value();
  const Result<> dumped =
      container.Dump(Engine::kOurs, images, ProcessAfter::kGone, {"--plain-kernel"});
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const Result<> restored = container.Restore(Engine::kOurs, images);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(container.Snapshot().value(), before);
  EXPECT_EQ(container.Verdict().value(), "pass");
}

}  // namespace
}  // namespace ckpt
