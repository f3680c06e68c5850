// The cores that imgtool writes, beside those that gdb writes of the same live process just before
// the dump, as gdb shows both.
#include <gmock/gmock.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/subject.h"

namespace ckpt {
namespace {

using testing::Contains;
using testing::HasSubstr;

// A program that was dumped, and the core that gdb wrote of it.
struct Dumped {
  std::string program;
  std::string images;
  std::string live_core;
  pid_t pid = 0;
};

Result<std::string> Gdb(const std::vector<std::string>& commands,
                        const std::vector<std::string>& operands) {
  std::vector<std::string> arguments = {"gdb", "-nx", "-batch", "-iex",
                                        "set debuginfod enabled off"};
  for (const std::string& command : commands) {
    arguments.insert(arguments.end(), {"-ex", command});
  }
  arguments.insert(arguments.end(), operands.begin(), operands.end());
  CKPT_TRY(const CommandResult result, RunCommandWell(arguments));
  return result.output;
}

Result<Dumped> Make(const std::string& program, Engine dumper) {
  Dumped dumped;
  dumped.program = RunfilePath(program);
  const std::string name = program.substr(program.rfind('/') + 1);
  CKPT_TRY(const std::string folder, MakeTestDirectory(fmt::format("{}-{}", name, Name(dumper))));
  const std::string workdir = folder + "/work";
  dumped.images = folder + "/images";
  CKPT_TRY(RunCommandWell({"mkdir", workdir, dumped.images}));
  dumped.live_core = folder + "/live";
  CKPT_TRY(Subject subject, Subject::Start(dumped.program, workdir));
  dumped.pid = subject.pid();
  CKPT_TRY(Gdb({"gcore " + dumped.live_core}, {"-p", std::to_string(subject.pid())}));
  CKPT_TRY(Dump(dumper, subject.pid(), dumped.images));
  CKPT_TRY(subject.AwaitEnd());
  return dumped;
}

// Each program is dumped once by each dumper.
const Result<Dumped>& DumpOnce(const std::string& program, Engine dumper) {
  static auto* const dumps = new std::map<std::string, Result<Dumped>>;
  const std::string key = fmt::format("{} {}", program, Name(dumper));
  auto dump = dumps->find(key);
  if (dump == dumps->end()) dump = dumps->emplace(key, Make(program, dumper)).first;
  return dump->second;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class CoreTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    const auto gdb = RunCommandWell({"gdb", "--version"});
    if (gdb.has_error()) GTEST_SKIP() << "gdb is not installed";
    const Result<> available = CheckAvailable(GetParam());
    if (available.has_error()) GTEST_SKIP() << available.error().message;
  }

  void Open(const std::string& program) {
    const Result<Dumped>& made = DumpOnce(program, GetParam());
    ASSERT_TRUE(made.has_value()) << made.error().message;
    dumped_ = made.value();
    core_ = MakeTestDirectory("written").value() + "/core";
    const auto written = RunCommandWell({RunfilePath("imgtool/imgtool"), "core", dumped_.images,
                                         std::to_string(dumped_.pid), "-o", core_});
    ASSERT_TRUE(written.has_value()) << written.error().message;
  }

  // What gdb prints for the commands, without what it says of a core before it.
  std::string Show(const std::string& core, std::vector<std::string> commands) {
    const std::string mark = "the commands print:\n";
    commands.insert(commands.begin(), "echo " + mark.substr(0, mark.size() - 1) + "\\n");
    const auto output = Gdb(commands, {dumped_.program, core});
    EXPECT_TRUE(output.has_value()) << output.error().message;
    if (output.has_error()) return "";
    return output.value().substr(output.value().find(mark) + mark.size());
  }

  void ExpectSame(const std::vector<std::string>& commands) {
    EXPECT_EQ(Show(core_, commands), Show(dumped_.live_core, commands));
  }

  Dumped dumped_;
  std::string core_;
};

// One thread's registers by name.
using Registers = std::map<std::string, uint64_t>;

// From the output of "thread apply all -ascending info registers", by thread id; without those of
// AVX-512 (k0 to k7), which gdb 13 misreads in live processes of AMD processors.
std::map<int, Registers> ParseRegisters(const std::string& output) {
  std::map<int, Registers> threads;
  int lwp = 0;
  for (const std::string& line : Lines(output)) {
    std::smatch match;
    if (std::regex_search(line, match, std::regex("^Thread .*LWP ([0-9]+)"))) {
      lwp = std::stoi(match[1]);
    } else if (std::regex_search(line, match, std::regex("^([a-z][a-z0-9_]+) +(0x[0-9a-f]+)")) &&
               line[0] != 'k') {
      threads[lwp][match[1]] = std::stoull(match[2], nullptr, 16);
    }
  }
  return threads;
}

// A thread that a dump takes out of a system call stands before it again; gdb sees the same thread
// behind it, with a result that only the kernel knows (ERESTARTSYS to ERESTARTNOHAND).
Registers BeforeItsCall(Registers registers, uint64_t call) {
  const uint64_t result = 0 - registers["rax"];
  if (result < 512 || result > 514) return registers;
  registers["rax"] = call;
  registers["rip"] -= 2;
  return registers;
}

constexpr uint64_t kPauseCall = 34;

TEST_P(CoreTest, AllThreadsHaveTheirRegisters) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/core/debugged"));
  const std::vector<std::string> commands = {"thread apply all -ascending info registers"};
  std::map<int, Registers> expected = ParseRegisters(Show(dumped_.live_core, commands));
  ASSERT_EQ(expected.size(), 4u);
  for (auto& [lwp, registers] : expected) {
    ASSERT_GE(registers.size(), 24u) << lwp;
    registers = BeforeItsCall(registers, kPauseCall);
  }
  EXPECT_EQ(ParseRegisters(Show(core_, commands)), expected);
}

// "#0  0x00007f... in pause ()": a frame without its address, which differs by the call.
std::string WithoutAddresses(const std::string& text) {
  return std::regex_replace(text, std::regex("0x0000[0-9a-f]+ in "), "");
}

TEST_P(CoreTest, AllThreadsHaveTheirBacktraces) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/core/debugged"));
  const std::vector<std::string> commands = {"thread apply all -ascending bt"};
  const std::string shown = WithoutAddresses(Show(core_, commands));
  const std::vector<std::string> lines = Lines(shown);
  EXPECT_THAT(lines, Contains(HasSubstr("WaitAt (depth=3)")));
  EXPECT_THAT(lines, Contains(HasSubstr("main (argc=2")));
  EXPECT_EQ(shown, WithoutAddresses(Show(dumped_.live_core, commands)));
}

TEST_P(CoreTest, VariablesHaveTheirValues) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/core/debugged"));
  const std::string shown =
      Show(core_, {"p (char*)global_text", "p/x global_number", "p (char*)heap_text",
                   "p (char*)shared_text", "p (char*)file_text"});
  EXPECT_THAT(shown, HasSubstr("\"a text that was there at the dump\""));
  EXPECT_THAT(shown, HasSubstr("= 0x123456789abcdef0"));
  EXPECT_THAT(shown, HasSubstr("\"a text in the heap\""));
  EXPECT_THAT(shown, HasSubstr("\"a text in shared memory\""));
  EXPECT_THAT(shown, HasSubstr("\"first page, written\""));
  ExpectSame({"p global_text", "p global_number", "p global_untouched", "p heap_text",
              "p shared_text", "p file_text", "x/32xb heap_text", "x/2000xb shared_text"});
}

TEST_P(CoreTest, ThreadsHaveTheirOwnVariables) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/core/debugged"));
  const std::string shown = Show(core_, {"thread apply all -ascending p thread_number"});
  for (const char* value : {"= 0\n", "= 1\n", "= 2\n", "= 3\n"}) {
    EXPECT_THAT(shown, HasSubstr(value));
  }
}

// The pages of a mapped file that were not changed are in no dump: gdb reads them from the file.
TEST_P(CoreTest, WhatTheDumpDoesNotHoldComesFromTheFile) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/core/debugged"));
  EXPECT_THAT(Show(core_, {"p (char*)file_text + 4096"}), HasSubstr("\"second page\""));
  ExpectSame({"disassemble main"});
}

TEST_P(CoreTest, TheProcessIsTheSame) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/core/debugged"));
  ExpectSame({"info auxv"});
  constexpr size_t kArgumentBytes = 79;  // pr_psargs of NT_PRPSINFO has so many, and a NUL
  EXPECT_THAT(Show(core_, {"info proc"}), HasSubstr(dumped_.program.substr(0, kArgumentBytes)));
}

// The lines of mappings with a file, of those that have a path.
std::vector<std::string> FileMappings(const std::string& shown) {
  std::vector<std::string> lines;
  for (const std::string& line : Lines(shown)) {
    if (line.find("0x") != std::string::npos && line.find(" /") != std::string::npos &&
        line.find("/dev/zero") == std::string::npos) {
      lines.push_back(std::regex_replace(line, std::regex(" +"), " "));
    }
  }
  return lines;
}

TEST_P(CoreTest, MappedFilesAreTheSame) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/core/debugged"));
  const auto mappings = FileMappings(Show(core_, {"info proc mappings"}));
  EXPECT_GT(mappings.size(), 10u);
  EXPECT_EQ(mappings, FileMappings(Show(dumped_.live_core, {"info proc mappings"})));
}

// "CORE 0x00000150 NT_PRSTATUS": owner, size and type of each note.
std::multiset<std::string> NotesOf(const std::string& core) {
  const auto output = RunCommandWell({"readelf", "-n", "-W", core});
  EXPECT_TRUE(output.has_value());
  std::multiset<std::string> notes;
  for (const std::string& line : Lines(output.value().output)) {
    std::smatch match;
    if (std::regex_search(line, match,
                          std::regex("^ *(CORE|LINUX) +0x[0-9a-f]+\\s+(NT_[A-Z0-9_]+)"))) {
      notes.insert(match[1].str() + " " + match[2].str());
    }
  }
  return notes;
}

TEST_P(CoreTest, NotesAreThoseThatGdbWrites) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/core/debugged"));
  const std::multiset<std::string> notes = NotesOf(core_);
  EXPECT_EQ(notes.count("CORE NT_PRSTATUS"), 4u);
  EXPECT_EQ(notes.count("CORE NT_FPREGSET"), 4u);
  EXPECT_EQ(notes.count("LINUX NT_X86_XSTATE"), 4u);
  EXPECT_EQ(notes.count("CORE NT_SIGINFO"), 1u);
  const auto live = NotesOf(dumped_.live_core);
  EXPECT_EQ(std::set<std::string>(notes.begin(), notes.end()),
            std::set<std::string>(live.begin(), live.end()));
}

// The lines of registers that are where they are on all processors; gdb 13 takes AVX-512 for being
// where Intel has it, also in a live process of an AMD processor.
std::vector<std::string> PortableRegisters(const std::string& shown) {
  const std::regex portable("^(st[0-7]|f[a-z]+|mxcsr|\\$[0-9]+) .*");
  std::vector<std::string> lines;
  for (const std::string& line : Lines(shown)) {
    if (std::regex_match(line, portable)) lines.push_back(line);
  }
  return lines;
}

// A thread that spins with known values in all its registers.
TEST_P(CoreTest, VectorAndFloatingPointRegistersAreTheSame) {
  ASSERT_NO_FATAL_FAILURE(Open("tests/programs/registers"));
  std::vector<std::string> commands = {"thread 2", "info all-registers"};
  for (int i = 0; i < 16; ++i) commands.push_back(fmt::format("p/x $ymm{}.v4_int64", i));
  const auto expected = PortableRegisters(Show(dumped_.live_core, commands));
  EXPECT_GT(expected.size(), 30u);
  EXPECT_EQ(PortableRegisters(Show(core_, commands)), expected);
}

// Against what the thread loaded them from, which its register rdi still points to.
TEST_P(CoreTest, RegistersOfAvx512AreThose) {
  if (ReadWholeFile("/proc/cpuinfo").value().find(" avx512f") == std::string::npos) {
    GTEST_SKIP() << "this processor has no AVX-512";
  }
  ASSERT_NO_FATAL_FAILURE(Open("tests/programs/registers"));
  std::vector<std::string> commands = {"thread 2"};
  for (int i = 0; i < 32; ++i) {
    commands.push_back(fmt::format("p/x $zmm{}.v8_int64", i));
    commands.push_back(fmt::format("p/x *(long (*)[8])($rdi+{})", 64 * i));
  }
  for (int i = 0; i < 8; ++i) {
    commands.push_back(fmt::format("p/x $k{}", i));
    commands.push_back(fmt::format("p/x *(long*)($rdi+{})", 2048 + 8 * i));
  }
  std::vector<std::string> values;
  for (const std::string& line : Lines(Show(core_, commands))) {
    if (line.starts_with("$")) values.push_back(line.substr(line.find("= ")));
  }
  ASSERT_EQ(values.size(), 80u);
  for (size_t i = 0; i < values.size(); i += 2) EXPECT_EQ(values[i], values[i + 1]) << i / 2;
}

INSTANTIATE_TEST_SUITE_P(Dumpers, CoreTest, testing::Values(Engine::kOurs, Engine::kCriu),
                         [](const auto& engine) { return std::string(Name(engine.param)); });

}  // namespace
}  // namespace ckpt
