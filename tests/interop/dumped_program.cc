#include "tests/interop/dumped_program.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "tests/harness/command.h"
#include "tests/harness/process_tree.h"
#include "tests/harness/snapshot.h"

namespace ckpt {
namespace {

constexpr ProgramCase kPrograms[] = {
    {"blocked"},       {"chrooted"},     {"copied_memory"}, {"counter"},       {"counter", true},
    {"credentials"},   {"dead_leaders"}, {"dumped_core"},   {"events"},        {"exit_statuses"},
    {"fifos"},         {"files"},        {"ghosts"},        {"memory"},        {"other_user"},
    {"pairs_between"}, {"personality"},  {"pipes"},         {"pipes_between"}, {"registers"},
    {"settings"},      {"shared_files"}, {"shared_memory"}, {"shared_table"},  {"signals"},
    {"stopped_child"}, {"threads"},      {"timers"},        {"tree"},          {"unix_pairs"},
    {"zombies"},
};

Result<> CopyFolder(const std::string& from, const std::string& to) {
  CKPT_TRY(RunCommandWell({"rm", "-rf", to}));
  CKPT_TRY(RunCommandWell({"cp", "-a", from, to}));
  return success();
}

}  // namespace

Result<DumpedProgram> DumpedProgram::Make(const ProgramCase& program, Engine dumper,
                                          const std::vector<std::string>& more) {
  DumpedProgram dumped;
  CKPT_TRY(const std::string folder,
           MakeTestDirectory(fmt::format("{}{}-{}", program.name, program.stopped ? "-stopped" : "",
                                         Name(dumper))));
  dumped.workdir_ = folder + "/work";
  dumped.saved_workdir_ = folder + "/saved";
  dumped.images_ = folder + "/images";
  CKPT_TRY(RunCommandWell({"mkdir", dumped.workdir_, dumped.images_}));
  const std::string path = RunfilePath(fmt::format("tests/programs/{}", program.name));
  CKPT_TRY(Subject subject, Subject::Start(path, dumped.workdir_));
  if (program.stopped) {
    CKPT_TRY(subject.Signal(SIGSTOP));
    CKPT_TRY(subject.AwaitStop());
  }
  CKPT_TRY(dumped.snapshot_, TreeSnapshotOf(subject.pid()));
  CKPT_TRY(const std::vector<pid_t> tree, ProcessTree(subject.pid()));
  CKPT_TRY(Dump(dumper, subject.pid(), dumped.images_, ProcessAfter::kGone, more));
  CKPT_TRY(subject.AwaitEnd());
  ReapDescendants(tree);
  CKPT_TRY(CopyFolder(dumped.workdir_, dumped.saved_workdir_));
  return dumped;
}

Result<Subject> DumpedProgram::RestoreBy(Engine restorer) const {
  CKPT_TRY(CopyFolder(saved_workdir_, workdir_));
  CKPT_TRY(const pid_t pid, Restore(restorer, images_));
  return Subject::Adopt(pid, workdir_);
}

std::span<const ProgramCase> ProgramCases() { return kPrograms; }

std::string Title(const ProgramCase& program) {
  return std::string(program.stopped ? "stopped_" : "") + program.name;
}

std::string WhyNotDumped(const ProgramCase& program, Engine dumper) {
  const Result<> available = CheckAvailable(dumper);
  if (available.has_error()) return available.error().message;
  if (program.name == std::string_view("other_user") && dumper == Engine::kCriu &&
      prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE) != 1) {
    return "without CAP_SYS_RESOURCE CRIU cannot read the limits of another user's process";
  }
  return "";
}

const Result<DumpedProgram>& DumpOnce(const ProgramCase& program, Engine dumper) {
  static auto* const dumps = new std::map<std::string, std::unique_ptr<Result<DumpedProgram>>>;
  auto& dump = (*dumps)[fmt::format("{} {}", Title(program), Name(dumper))];
  if (dump == nullptr) {
    dump = std::make_unique<Result<DumpedProgram>>(DumpedProgram::Make(program, dumper));
  }
  return *dump;
}

}  // namespace ckpt
