// What `imgtool x` says of a dump, against what /proc said of the process; and dumps of one idle
// process by both engines, which do not differ.
#include <gmock/gmock.h>
#include <rapidjson/document.h>

#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/snapshot.h"
#include "tests/harness/subject.h"

namespace ckpt {
namespace {

using Lines = std::set<std::string>;

struct Dumped {
  std::string snapshot;  // TreeSnapshotOf() the process, which was idle all the time
  std::string by_criu;
  std::string by_us;
};

Result<Dumped> DumpByBoth(const std::string& program) {
  CKPT_TRY(const std::string workdir, MakeTestDirectory(program));
  Dumped dumped;
  CKPT_TRY(dumped.by_criu, MakeTestDirectory(program + "-criu"));
  CKPT_TRY(dumped.by_us, MakeTestDirectory(program + "-ours"));
  CKPT_TRY(Subject subject, Subject::Start(RunfilePath("tests/programs/" + program), workdir));
  CKPT_TRY(dumped.snapshot, TreeSnapshotOf(subject.pid()));
  // The first dump interrupts what the program waits for, which leaves EINTR in its errno.
  CKPT_TRY(const std::string first, MakeTestDirectory(program + "-first"));
  CKPT_TRY(Dump(Engine::kOurs, subject.pid(), first, ProcessAfter::kRunning));
  CKPT_TRY(Dump(Engine::kCriu, subject.pid(), dumped.by_criu, ProcessAfter::kRunning));
  CKPT_TRY(Dump(Engine::kOurs, subject.pid(), dumped.by_us, ProcessAfter::kRunning));
  return dumped;
}

CommandResult Imgtool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), RunfilePath("imgtool/imgtool"));
  return RunCommand(arguments).value();
}

rapidjson::Document View(const std::string& dump, const std::string& view) {
  const CommandResult result = Imgtool({"x", dump, view, "--json"});
  EXPECT_EQ(result.exit_status, 0) << result.errors;
  rapidjson::Document document;
  document.Parse(result.output.c_str());
  EXPECT_FALSE(document.HasParseError()) << result.output;
  return document;
}

// The snapshot's line after "process N": "parent 1 group 2 session 2 alive".
Lines PlacesOf(const std::string& snapshot) {
  Lines lines;
  std::istringstream text(snapshot);
  std::string pid;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("process ")) pid = line.substr(8);
    if (line.starts_with("parent ")) lines.insert(pid + ": " + line);
  }
  return lines;
}

std::string StateOf(const rapidjson::Value& process) {
  const std::string state = process["state"].GetString();
  return state == "zombie" ? fmt::format("ended with {}", process["wait_status"].GetUint()) : state;
}

Lines PlacesOf(const rapidjson::Document& ps) {
  Lines lines;
  for (const auto& process : ps["processes"].GetArray()) {
    const unsigned parent = process["ppid"].GetUint();
    lines.insert(fmt::format("{}: parent {} group {} session {} {}", process["pid"].GetUint(),
                             parent == 0 ? "" : fmt::to_string(parent), process["pgid"].GetUint(),
                             process["sid"].GetUint(), StateOf(process)));
  }
  return lines;
}

bool IsComparedName(std::string_view name) {
  if (name == "[heap]" || name == "[stack]" || name == "[vdso]") return true;
  return name.starts_with('/') && !name.ends_with(" (deleted)");
}

// The mappings of a snapshot and the view's, neighbours that are alike as one, under their pid.
Lines MappingsOf(const std::string& snapshot) {
  Lines lines;
  std::istringstream text(snapshot);
  std::string pid;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("process ")) pid = line.substr(8);
    if (!line.starts_with("mapping ")) continue;
    const size_t name = line.find(' ', line.find(' ', 8) + 1) + 1;
    if (IsComparedName(std::string_view(line).substr(name))) lines.insert(pid + ": " + line);
  }
  return lines;
}

struct MergedMapping {
  uint64_t start = 0;
  uint64_t end = 0;
  std::string rest;
};

Lines MappingsOf(const rapidjson::Document& mems) {
  Lines lines;
  for (const auto& process : mems["processes"].GetArray()) {
    std::vector<MergedMapping> merged;
    for (const auto& mapping : process["mappings"].GetArray()) {
      const std::string name = mapping["name"].GetString();
      const std::string rest = fmt::format("{} {}", mapping["permissions"].GetString(), name);
      const uint64_t start = mapping["start"].GetUint64();
      if (!merged.empty() && merged.back().end == start && merged.back().rest == rest) {
        merged.back().end = mapping["end"].GetUint64();
      } else {
        merged.push_back({start, mapping["end"].GetUint64(), rest});
      }
    }
    for (const MergedMapping& mapping : merged) {
      if (!IsComparedName(std::string_view(mapping.rest).substr(5))) continue;
      lines.insert(fmt::format("{}: mapping {:08x}-{:08x} {}", process["pid"].GetUint(),
                               mapping.start, mapping.end, mapping.rest));
    }
  }
  return lines;
}

// "5: 3 /dev/null" of files by path, "5: 4" of others.
Lines DescriptorsOf(const std::string& snapshot) {
  Lines lines;
  std::istringstream text(snapshot);
  std::string pid;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("process ")) pid = line.substr(8);
    if (!line.starts_with("descriptor ")) continue;
    line = line.substr(11, line.rfind(" flags ") - 11);
    const size_t target = line.find(' ') + 1;
    const bool has_path = IsComparedName(std::string_view(line).substr(target));
    lines.insert(pid + ": " + (has_path ? line : line.substr(0, target - 1)));
  }
  return lines;
}

Lines DescriptorsOf(const rapidjson::Document& fds) {
  Lines lines;
  for (const auto& process : fds["processes"].GetArray()) {
    for (const auto& descriptor : process["descriptors"].GetArray()) {
      if (!descriptor["fd"].IsUint()) continue;  // cwd, root, exe
      std::string line =
          fmt::format("{}: {}", process["pid"].GetUint(), descriptor["fd"].GetUint());
      const std::string description = descriptor["description"].GetString();
      const bool has_path = description.starts_with('/') && !description.ends_with(" (deleted)");
      if (has_path) line += " " + description.substr(0, description.find(", "));
      lines.insert(line);
    }
  }
  return lines;
}

class Explored : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const Result<> available = CheckAvailable(Engine::kCriu);
    if (available.has_error()) GTEST_SKIP() << available.error().message;
  }
};

TEST_P(Explored, ViewsSayWhatProcSaidAndBothDumpsTheSame) {
  const Result<Dumped> dumped = DumpByBoth(GetParam());
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const auto& [snapshot, by_criu, by_us] = dumped.value();
  for (const std::string& dump : {by_criu, by_us}) {
    EXPECT_EQ(PlacesOf(View(dump, "ps")), PlacesOf(snapshot)) << dump;
    EXPECT_EQ(MappingsOf(View(dump, "mems")), MappingsOf(snapshot)) << dump;
    EXPECT_EQ(DescriptorsOf(View(dump, "fds")), DescriptorsOf(snapshot)) << dump;
    for (const char* view : {"rss", "sockets", "mounts"}) View(dump, view);
  }
  const CommandResult diff = Imgtool({"diff", by_criu, by_us});
  EXPECT_EQ(diff.exit_status, 0) << diff.output << diff.errors;
  EXPECT_EQ(diff.output, "no difference\n");
}

// Programs that do nothing at all until they are told to.
INSTANTIATE_TEST_SUITE_P(IdlePrograms, Explored,
                         testing::Values("credentials", "dead_leaders", "fifos", "files", "pipes",
                                         "pipes_between", "registers", "settings", "shared_files",
                                         "signals", "tree", "zombies"),
                         [](const auto& program) { return std::string(program.param); });

}  // namespace
}  // namespace ckpt
