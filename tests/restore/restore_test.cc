// ckpt-restore's own ways, beside what the interop tests show: what it leaves behind when a step
// fails, and the paths that this kernel does not need.
#include "restorer/restore.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/dump_directory.h"
#include "formats/proto/stats.pb.h"
#include "process/kernel_features.h"
#include "process/maps.h"
#include "restorer/dump_images.h"
#include "restorer/plan_builder.h"
#include "restorer/run_restore.h"
#include "restorer/vdso_symbols.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/subject.h"
#include "tests/restore/dumped_subject.h"

namespace ckpt {
namespace {

// Names, types and sizes.
std::string FilesOf(const std::string& directory) {
  return RunCommandWell({"find", directory, "-printf", "%P %y %s\\n"}).value().output;
}

// Restores with that step failing, and expects nothing to be left.
void ExpectCleanFailureAt(std::string_view failing, const DumpedSubject& dumped) {
  RestoreOptions options{.images_dir = dumped.images, .pidfile = dumped.pidfile};
  options.before_step = [&](std::string_view step) -> Result<> {
    if (step == failing) return MakeError(ErrorCode::kSystem, "failed for the test");
    return success();
  };
  Log log;
  const size_t descriptors = OpenDescriptors().size();
  const std::string files = FilesOf(dumped.workdir);
  const Result<pid_t> restored = Restore(options, log);
  ASSERT_TRUE(restored.has_error());
  EXPECT_EQ(restored.error().message, "failed for the test");
  EXPECT_EQ(FilesOf(dumped.workdir), files);
  EXPECT_FALSE(Exists(dumped.pid));
  EXPECT_FALSE(Exists(dumped.images + "/stats-restore"));
  const std::string folder = dumped.pidfile.substr(0, dumped.pidfile.rfind('/'));
  EXPECT_THAT(ListDirectory(folder).value(), testing::UnorderedElementsAre("images", "work"));
  EXPECT_EQ(OpenDescriptors().size(), descriptors);
}

class RestoreFaults : public testing::TestWithParam<const char*> {};

TEST_P(RestoreFaults, AFailureAtAnyStepLeavesNothingBehind) {
  const Result<DumpedSubject> dumped =
      DumpSubject(GetParam(), fmt::format("restore_faults_{}", GetParam()));
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  for (const std::string_view step : RestoreStepNames()) {
    SCOPED_TRACE(step);
    ExpectCleanFailureAt(step, dumped.value());
  }
  Log log;
  const Result<pid_t> restored = Restore({.images_dir = dumped.value().images}, log);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(VerdictOf(dumped.value()), "pass");
}

INSTANTIATE_TEST_SUITE_P(Programs, RestoreFaults,
                         testing::Values("threads", "events", "fifos", "files", "ghosts", "pipes",
                                         "unix_pairs"),
                         [](const auto& program) { return program.param; });

TEST(RestoreFaultTest, ARestorerThatIsKilledTakesTheProcessWithIt) {
  const Result<DumpedSubject> dumped = DumpSubject("threads", "restore_killed");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const pid_t restorer = fork();
  if (restorer == 0) {
    RestoreOptions options{.images_dir = dumped.value().images};
    options.before_step = [](std::string_view step) -> Result<> {
      if (step == "set registers") raise(SIGKILL);
      return success();
    };
    Log log;
    static_cast<void>(Restore(options, log));
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(restorer, &status, 0), restorer);
  EXPECT_TRUE(WIFSIGNALED(status));
  // It comes to us, the first process of the namespace.
  ASSERT_EQ(waitpid(dumped.value().pid, &status, 0), dumped.value().pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(RestoreTest, APidInUseIsNamedAndNothingIsMade) {
  const Result<DumpedSubject> dumped = DumpSubject("signals", "restore_in_use");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  Log log;
  ASSERT_TRUE(Restore({.images_dir = dumped.value().images}, log).has_value());
  const Result<pid_t> again = Restore({.images_dir = dumped.value().images}, log);
  ASSERT_TRUE(again.has_error());
  EXPECT_EQ(again.error().message,
            fmt::format("pid {} is in use: the process cannot have it again", dumped.value().pid));
  EXPECT_EQ(VerdictOf(dumped.value()), "pass");
}

TEST(RestoreTest, ThePidfileAndTheFiguresAreWritten) {
  const Result<DumpedSubject> dumped = DumpSubject("memory", "restore_figures");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  Log log;
  const RestoreOptions options{.images_dir = dumped.value().images,
                               .pidfile = dumped.value().pidfile};
  ASSERT_TRUE(Restore(options, log).has_value());
  EXPECT_EQ(ReadWholeFile(dumped.value().pidfile).value(), fmt::format("{}", dumped.value().pid));
  const DumpDirectory dump = DumpDirectory::Open(dumped.value().images).value();
  const auto entry = dump.ReadSingle<pb::stats_entry>(ImageType::kStats, kStatsOfRestore);
  ASSERT_TRUE(entry.has_value()) << entry.error().message;
  EXPECT_GE(entry.value().restore().pages_restored(), 16384U);
  EXPECT_GT(entry.value().restore().restore_time(), 0U);
  EXPECT_EQ(VerdictOf(dumped.value()), "pass");
}

TEST(RestoreTest, AStoppedProcessIsStoppedWhenTheRestoreIsDone) {
  const Result<std::string> folder = MakeTestDirectory("restore_stopped");
  ASSERT_TRUE(folder.has_value()) << folder.error().message;
  const std::string workdir = folder.value() + "/work";
  const std::string images = folder.value() + "/images";
  ASSERT_TRUE(RunCommandWell({"mkdir", workdir, images}).has_value());
  Result<Subject> subject = Subject::Start(RunfilePath("tests/programs/threads"), workdir);
  ASSERT_TRUE(subject.has_value()) << subject.error().message;
  ASSERT_TRUE(subject.value().Signal(SIGSTOP).has_value());
  ASSERT_TRUE(subject.value().AwaitStop().has_value());
  ASSERT_TRUE(Dump(Engine::kOurs, subject.value().pid(), images).has_value());
  ASSERT_TRUE(subject.value().AwaitEnd().has_value());
  for (int i = 0; i < 20; ++i) {
    Log log;
    const Result<pid_t> restored = Restore({.images_dir = images}, log);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    Result<Subject> again = Subject::Adopt(restored.value(), workdir);
    EXPECT_EQ(again.value().State().value(), 'T');
  }
}

TEST(RestoreTest, KernelsThatCannotBeToldTimerIdsCountUpToThem) {
  const Result<DumpedSubject> dumped = DumpSubject("timers", "restore_timer_ids");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  Log log;
  const RestoreOptions options{.images_dir = dumped.value().images, .counts_timer_ids = true};
  const Result<pid_t> restored = Restore(options, log);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(VerdictOf(dumped.value()), "pass");
}

// Copies every file that the dump names to a place below `root`.
Result<> CopyFilesOf(const std::string& images, const std::string& root) {
  CKPT_TRY(const LoadedDump dump, LoadDump(images));
  CKPT_TRY(const RestorePlan plan, BuildRestorePlan(dump.images));
  for (const auto& [id, file] : plan.files) {
    if (file.kind != FilePlan::Kind::kPath || file.path == "/") continue;
    CKPT_TRY(RunCommandWell(
        {"sh", "-c", "cd / && cp -a --parents \"$0\" \"$1\"", file.path.substr(1), root}));
  }
  return success();
}

TEST(RestoreTest, WithARootThePathsOfTheDumpBeginThere) {
  const Result<DumpedSubject> dumped = DumpSubject("settings", "restore_root");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const std::string root = dumped.value().images + "/root";
  ASSERT_TRUE(RunCommandWell({"mkdir", root}).has_value());
  const Result<> copied = CopyFilesOf(dumped.value().images, root);
  ASSERT_TRUE(copied.has_value()) << copied.error().message;
  ASSERT_TRUE(RunCommandWell({"rm", "-rf", dumped.value().workdir}).has_value());

  Log log;
  const Result<pid_t> without = Restore({.images_dir = dumped.value().images}, log);
  ASSERT_TRUE(without.has_error());
  EXPECT_THAT(without.error().message, testing::HasSubstr(dumped.value().workdir));

  const Result<pid_t> restored = Restore({.images_dir = dumped.value().images, .root = root}, log);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(ReadLink(fmt::format("/proc/{}/root", restored.value())).value(), root);
  EXPECT_EQ(ReadLink(fmt::format("/proc/{}/cwd", restored.value())).value(),
            root + dumped.value().workdir);
  ASSERT_EQ(kill(restored.value(), SIGKILL), 0);
  ASSERT_EQ(waitpid(restored.value(), nullptr, 0), restored.value());
}

// Changes the size that the dumped vdso's symbol table gives to a function, so that it is not the
// running kernel's any more.
Result<> AlterVdso(const std::string& images) {
  CKPT_TRY(const LoadedDump dump, LoadDump(images));
  CKPT_TRY(const RestorePlan plan, BuildRestorePlan(dump.images));
  const PagesPlan& pages = plan.tasks.front().memory.vdso_pages.front();
  std::string vdso(pages.range.size_bytes(), '\0');
  const int source = dump.pages_images[pages.source]->fd();
  if (pread(source, vdso.data(), vdso.size(), static_cast<off_t>(pages.offset_bytes)) < 0) {
    return ErrnoError(errno, "pread of the vdso");
  }
  CKPT_TRY(const VdsoSymbols symbols, ParseVdsoSymbols(AsBytes(vdso)));
  const VdsoFunction& function = symbols.at("__vdso_getcpu");
  std::string entry(reinterpret_cast<const char*>(&function), sizeof(function));
  const size_t found = vdso.find(entry);  // the value and the size of an Elf64_Sym
  if (found == std::string::npos) return MakeError(ErrorCode::kInternal, "no such symbol");
  ++entry[sizeof(uint64_t)];
  CKPT_TRY(const UniqueFd fd, OpenFile(fmt::format("/proc/self/fd/{}", source), O_WRONLY));
  if (pwrite(fd.get(), entry.data(), entry.size(), static_cast<off_t>(pages.offset_bytes + found)) <
      0) {
    return ErrnoError(errno, "pwrite of the vdso");
  }
  return success();
}

std::vector<Mapping> VdsosOf(pid_t pid) {
  std::vector<Mapping> mappings = ReadMappings(pid, FallbackKernelFeatures()).value();
  std::erase_if(mappings, [](const Mapping& mapping) {
    return SpecialMappingOf(mapping) != SpecialMapping::kVdso;
  });
  return mappings;
}

TEST(RestoreTest, AVdsoOfAnotherKernelStaysAndCallsTheRunningOne) {
  const Result<DumpedSubject> dumped = DumpSubject("timers", "restore_vdso");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const Result<> altered = AlterVdso(dumped.value().images);
  ASSERT_TRUE(altered.has_value()) << altered.error().message;
  const std::string log_path = dumped.value().images + "/restore.log";
  Log log = Log::Open(log_path, LogLevel::kDebug).value();
  const Result<pid_t> restored = Restore({.images_dir = dumped.value().images}, log);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_THAT(ReadWholeFile(log_path).value(),
              testing::HasSubstr("the dumped one differs from the running kernel's"));
  // The kernel's own is somewhere else; it is the only one that the kernel knows as such.
  EXPECT_EQ(VdsosOf(dumped.value().pid).size(), 1U);

  // Dumped again, on this kernel, the process has two: one is ordinary memory.
  const std::string again = dumped.value().images + "/again";
  ASSERT_TRUE(RunCommandWell({"mkdir", again}).has_value());
  Result<Subject> subject = Subject::Adopt(dumped.value().pid, dumped.value().workdir);
  ASSERT_TRUE(subject.has_value()) << subject.error().message;
  ASSERT_TRUE(Dump(Engine::kOurs, dumped.value().pid, again).has_value());
  ASSERT_TRUE(subject.value().AwaitEnd().has_value());
  const Result<pid_t> restored_again = Restore({.images_dir = again}, log);
  ASSERT_TRUE(restored_again.has_value()) << restored_again.error().message;
  EXPECT_EQ(VerdictOf(dumped.value()), "pass");
}

TEST(RunRestoreTest, WithoutDetachingTheExitCodeIsThatOfTheProcess) {
  const Result<DumpedSubject> dumped = DumpSubject("counter", "restore_attached");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const pid_t restorer = fork();
  if (restorer == 0) {
    std::ostringstream out, err;
    _exit(RunRestore(std::vector<std::string>{"-D", dumped.value().images}, out, err));
  }
  while (!Exists(dumped.value().images + "/stats-restore")) usleep(1000);
  ASSERT_EQ(kill(dumped.value().pid, SIGTERM), 0);
  int status = 0;
  ASSERT_EQ(waitpid(restorer, &status, 0), restorer);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGTERM);
}

}  // namespace
}  // namespace ckpt
