// Every command of imgtool that reads a dump says the same of an archive, however it is compressed,
// as of the directory that was packed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "imgtool/program.h"
#include "imgtool/sample_archive.h"
#include "imgtool/sample_dump.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/subject.h"
#include "tests/storage/split_dump.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// How each command is tried: its arguments, in which "PID" is the dumped process and "dump" the
// dump. What a command writes goes to "out". None: the command reads no dump, or an archive is not
// to it what a directory is; those have tests of their own below.
const std::map<std::string, std::vector<Words>>& Tries() {
  static const auto* const tries = new std::map<std::string, std::vector<Words>>{
      {"aufs-fixup", {{"dump", "--dry-run", "--branches", "map"}}},
      {"branches", {{"dump"}, {"map", "--dump", "dump"}}},
      {"check", {{"dump"}, {"dump", "--json"}}},
      {"completion", {}},
      {"compress", {{"dump", "-o", "out"}}},
      {"core", {{"dump", "PID", "-o", "out"}}},
      {"decode", {}},
      {"decompress", {{"dump", "-o", "out"}}},
      {"diff", {{"dump", "dump"}, {"dump", "other"}, {"other", "dump", "--json"}}},
      {"encode", {}},
      {"help", {}},
      {"info", {{"dump"}, {"--json", "dump"}}},
      {"mem",
       {{"dump", "PID"},
        {"dump", "PID", "map", "--json"},
        {"dump", "PID", "args"},
        {"dump", "PID", "env"},
        {"dump", "PID", "search", "ELF"}}},
      {"pack", {}},
      {"rewrite", {{"dump", "--dry-run", "--path", "/tmp=/srv"}}},
      {"show", {{"dump"}, {"--pretty", "dump"}, {"--ndjson", "dump"}}},
      {"squash", {{"dump", "-o", "out"}}},
      {"types", {}},
      {"undo", {}},
      {"unpack", {}},
      {"x",
       {{"dump", "ps"},
        {"dump", "fds"},
        {"dump", "mems"},
        {"dump", "rss", "--json"},
        {"dump", "sockets"},
        {"dump", "mounts", "--json"}}},
  };
  return *tries;
}

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
  Tree files;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  stream << "exit code " << outcome.code << ", " << outcome.out.size() << " bytes:\n"
         << outcome.out.substr(0, 2000) << "\nand on standard error:\n"
         << outcome.err;
  for (const auto& [name, content] : outcome.files) {
    stream << "\n" << name << ": " << content.size() << " bytes";
  }
  return stream;
}

Tree ReadOut() {
  if (!fs::exists("out")) return {};
  if (fs::is_directory("out")) return ReadTree("out");
  return {{"out", ReadWholeFile("out").value()}};
}

// Of a folder with the dump `dump`: its files, or the archive.
Tree ReadDump(const std::string& folder) {
  const std::string dump = folder + "/dump";
  if (fs::is_directory(dump)) return ReadTree(dump);
  return {{"dump", ReadWholeFile(dump).value()}};
}

// What is in an archive is called by its path there.
std::string WithoutFolder(std::string text) {
  const std::string in_archive = "dump/checkpoint";
  for (size_t at = text.find(in_archive); at != std::string::npos; at = text.find(in_archive)) {
    text.replace(at, in_archive.size(), "dump");
  }
  return text;
}

// Runs the command where "dump" is the dump.
Outcome RunIn(const std::string& folder, const Words& arguments,
              const std::string& stdin_text = "") {
  fs::current_path(folder);
  fs::remove_all("out");
  std::istringstream in(stdin_text);
  std::ostringstream out;
  std::ostringstream err;
  Outcome outcome;
  outcome.code = RunImgtool(arguments, {in, out, err});
  outcome.out = WithoutFolder(out.str());
  outcome.err = WithoutFolder(err.str());
  outcome.files = ReadOut();
  fs::current_path("/");
  return outcome;
}

constexpr std::string_view kMap = R"(branch-map 1
union aufs
  mountpoint /
  type aufs
  branch rw /no/such/branch
)";

struct Dumped {
  std::string base;  // has `whole`, `layers` and `compressed`, with a dump `dump` in each
  pid_t pid = 0;
};

// A dump, the same with a parent, and with compressed pages, each in a folder with `other`, a dump
// of another state.
Result<Dumped> MakeDumps() {
  Dumped dumped;
  CKPT_TRY(dumped.base, MakeTestDirectory("archives"));
  CKPT_TRY(const std::string workdir, MakeTestDirectory("work"));
  const std::string whole = dumped.base + "/whole";
  fs::create_directories(whole + "/dump");
  fs::create_directories(whole + "/other");
  CKPT_TRY(Subject subject, Subject::Start(RunfilePath("tests/programs/threads"), workdir));
  dumped.pid = subject.pid();
  CKPT_TRY(Dump(Engine::kOurs, subject.pid(), whole + "/other", ProcessAfter::kRunning));
  CKPT_TRY(Dump(Engine::kOurs, subject.pid(), whole + "/dump"));
  CKPT_TRY(subject.AwaitEnd());
  // A name that is not ASCII, and a file that is no image.
  CKPT_TRY(WriteWholeFile(whole + "/map", AsBytes(kMap), 0600));
  CKPT_TRY(WriteWholeFile(whole + "/dump/notes \xc3\xa9.txt", AsBytes("text"), 0600));
  fs::copy(whole, dumped.base + "/layers", fs::copy_options::recursive);
  CKPT_TRY(SplitDump(dumped.base + "/layers/dump", 2));
  const std::string compressed = dumped.base + "/compressed";
  fs::copy(whole, compressed, fs::copy_options::recursive);
  const Outcome done = RunIn(compressed, {"compress", "dump"});
  if (done.code != 0) return MakeError(ErrorCode::kInternal, "{}", done.err);
  RunIn(compressed, {"undo", "--forget", "dump"});
  return dumped;
}

const Result<Dumped>& Dumps() {
  static const auto* const dumps = new Result<Dumped>(MakeDumps());
  return *dumps;
}

// What podman exports of a dump `folder`/dump and its parents: a tar archive.
Result<std::string> PackAsPodman(const std::string& folder) {
  CKPT_TRY(const std::string stage, MakeTestDirectory("stage"));
  fs::copy(folder, stage, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::remove_all(stage + "/other");
  fs::remove_all(stage + "/map");
  fs::rename(stage + "/dump", stage + "/checkpoint");
  for (const char* const name : {"config.dump", "spec.dump", "network.status"}) {
    CKPT_TRY(WriteWholeFile(stage + "/" + name, AsBytes("{}"), 0600));
  }
  CKPT_TRY(WriteWholeFile(stage + "/rootfs-diff.tar", AsBytes(SampleTar({{"f", "x"}})), 0600));
  CKPT_TRY(const CommandResult tar, RunCommandWell({"tar", "-C", stage, "-c", "-f", "-", "."}));
  return tar.output;
}

enum class Packer { kPodman, kTarOfDump, kImgtool };

struct Packing {
  const char* name;
  const char* folder;  // of the dump
  Packer packer;
  Compression compression;
};

constexpr Packing kPackings[] = {
    {"plain", "layers", Packer::kPodman, Compression::kNone},
    {"gzip", "layers", Packer::kPodman, Compression::kGzip},
    {"bzip2", "layers", Packer::kPodman, Compression::kBzip2},
    {"xz", "layers", Packer::kPodman, Compression::kXz},
    {"zstd", "layers", Packer::kPodman, Compression::kZstd},
    {"at the top", "whole", Packer::kTarOfDump, Compression::kGzip},
    {"by imgtool", "whole", Packer::kImgtool, Compression::kZstd},
    {"with compressed pages", "compressed", Packer::kPodman, Compression::kZstd},
};

class ArchiveEquality : public testing::TestWithParam<Packing> {
 protected:
  void SetUp() override {
    const Result<Dumped>& dumps = Dumps();
    ASSERT_TRUE(dumps) << dumps.error().message;
    pid_ = dumps.value().pid;
    directory_ = dumps.value().base + "/" + GetParam().folder;
    archive_ = MakeTestDirectory("packed").value();
    Pack(archive_ + "/dump");
    fs::create_directory_symlink(directory_ + "/other", archive_ + "/other");
    fs::copy(directory_ + "/map", archive_ + "/map");
    temporary_ = MakeTestDirectory("temporary").value();
    setenv("TMPDIR", temporary_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("TMPDIR");
    EXPECT_TRUE(fs::is_empty(temporary_));
  }

  void Pack(const std::string& archive) const {
    if (GetParam().packer == Packer::kImgtool) {
      ASSERT_EQ(RunIn(directory_, {"pack", "dump", "-o", archive}).code, 0);
      return;
    }
    Result<std::string> tar = PackAsPodman(directory_);
    if (GetParam().packer == Packer::kTarOfDump) {
      tar =
          RunCommandWell({"tar", "-C", directory_ + "/dump", "-c", "-f", "-", "."}).value().output;
    }
    ASSERT_TRUE(tar) << tar.error().message;
    WriteCompressed(archive, tar.value(), GetParam().compression);
  }

  bool HasParent() const { return fs::is_symlink(directory_ + "/dump/parent"); }
  bool IsCompressed() const { return GetParam().folder == std::string("compressed"); }

  // Refused of an archive whose parent would not be beside what is written; of a directory, where
  // there is nothing to do.
  bool IsRefused(const std::string& command) const {
    if (command == "compress") return HasParent() || IsCompressed();
    return command == "decompress" && !IsCompressed();
  }

  Words Arguments(const std::string& command, const Words& words) const {
    Words arguments = {command};
    for (const std::string& word : words) {
      arguments.push_back(word == "PID" ? std::to_string(pid_) : word);
    }
    return arguments;
  }

  pid_t pid_ = 0;
  std::string directory_;
  std::string archive_;
  std::string temporary_;
};

TEST_P(ArchiveEquality, OfEveryCommand) {
  for (const Command& command : Commands()) {
    const std::string name(command.name);
    ASSERT_TRUE(Tries().contains(name)) << name << ": say how it is tried on an archive";
    if (IsRefused(name)) continue;
    for (const Words& words : Tries().at(name)) {
      const Words arguments = Arguments(name, words);
      const Outcome of_directory = RunIn(directory_, arguments);
      EXPECT_NE(of_directory.code, 2) << name << ": " << of_directory.err;
      EXPECT_EQ(RunIn(archive_, arguments), of_directory) << testing::PrintToString(arguments);
    }
  }
}

// The directory itself comes of it, so that decode and encode of its images are the same, too.
TEST_P(ArchiveEquality, OfWhatIsUnpacked) {
  const Outcome unpacked = RunIn(archive_, {"unpack", "dump", "-o", "out"});
  EXPECT_EQ(unpacked.code, 0) << unpacked.err;
  const bool is_in_folder = GetParam().packer == Packer::kPodman;
  EXPECT_EQ(ReadTree(archive_ + (is_in_folder ? "/out/checkpoint" : "/out")),
            ReadTree(directory_ + "/dump"));
}

// A change in its place, and taken back.
TEST_P(ArchiveEquality, OfAChangeThatIsUndone) {
  std::vector<Outcome> outcomes;
  for (const std::string& folder : {directory_, archive_}) {
    const std::string copy = MakeTestDirectory("changed").value();
    fs::copy(folder, copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    const Tree before = ReadDump(copy);
    outcomes.push_back(RunIn(copy, {"rewrite", "dump", "--in-place", "--path", "/usr/lib=/srv/l"}));
    EXPECT_EQ(outcomes.back().code, 0) << outcomes.back();
    EXPECT_NE(ReadDump(copy), before);
    // How it was written is not the same: links to files here, copied members there.
    std::string& report = outcomes.back().out;
    report.resize(report.find("; written to dump, "));
    outcomes.push_back(RunIn(copy, {"undo", "dump"}));
    EXPECT_EQ(outcomes.back().code, 0) << outcomes.back();
    EXPECT_EQ(ReadDump(copy), before);
  }
  EXPECT_EQ(outcomes[0], outcomes[2]);
  EXPECT_EQ(outcomes[1], outcomes[3]);
}

// What takes no archive says so.
TEST_P(ArchiveEquality, ElseARefusalThatIsClear) {
  struct Refusal {
    Words arguments;
    int code;
    std::string message;
  };
  std::vector<Refusal> refusals = {
      {{"decode", "dump"}, 2, "imgtool decode: dump: a dump, not an image; show prints dumps\n"},
      {{"encode", "dump", "-o", "out"}, 4, "imgtool encode: dump: line 1, column 1: "},
      {{"pack", "dump", "-o", "out"},
       2,
       "imgtool pack: dump: not a directory; only a dump directory can be packed\n"},
      {{"compress", "dump"},
       2,
       "imgtool compress: dump: only a directory can be changed in its place; give -o OUT\n"},
  };
  for (const char* const command : {"compress", "decompress"}) {
    if (!HasParent()) continue;
    refusals.push_back({{command, "dump", "-o", "out"}, 5, "the dump has a parent in the archive"});
  }
  for (const auto& [arguments, code, message] : refusals) {
    const Outcome outcome = RunIn(archive_, arguments);
    EXPECT_EQ(outcome.code, code) << outcome;
    EXPECT_THAT(outcome.err, testing::HasSubstr(message));
    EXPECT_TRUE(outcome.files.empty()) << outcome;
  }
}

// As one who copies such output would see it.
TEST_P(ArchiveEquality, OfTheStandardInput) {
  const std::string bytes = ReadWholeFile(archive_ + "/dump").value();
  for (const std::string name : {"show", "check", "info"}) {
    const Outcome of_directory = RunIn(directory_, {name, "dump"});
    EXPECT_EQ(RunIn(archive_, {name, "-"}, bytes).out, of_directory.out) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, ArchiveEquality, testing::ValuesIn(kPackings),
                         [](const testing::TestParamInfo<Packing>& packing) {
                           std::string name = packing.param.name;
                           std::erase(name, ' ');
                           return name;
                         });

}  // namespace
}  // namespace ckpt
