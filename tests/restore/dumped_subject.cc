#include "tests/restore/dumped_subject.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/file.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/process_tree.h"
#include "tests/harness/subject.h"

namespace ckpt {

Result<DumpedSubject> DumpSubject(const std::string& program, const std::string& test) {
  CKPT_TRY(const std::string folder, MakeTestDirectory(test));
  DumpedSubject dumped{.pid = 0,
                       .tree = {},
                       .shared_kib = {},
                       .workdir = folder + "/work",
                       .images = folder + "/images",
                       .pidfile = folder + "/pid"};
  CKPT_TRY(RunCommandWell({"mkdir", dumped.workdir, dumped.images}));
  CKPT_TRY(Subject subject,
           Subject::Start(RunfilePath("tests/programs/" + program), dumped.workdir));
  dumped.pid = subject.pid();
  CKPT_TRY(dumped.tree, ProcessTree(subject.pid()));
  for (const pid_t pid : dumped.tree) {
    const Result<long> shared = SharedKib(pid);
    dumped.shared_kib.push_back(shared.has_value() ? shared.value() : 0);  // a zombie has no memory
  }
  CKPT_TRY(Dump(Engine::kOurs, subject.pid(), dumped.images));
  CKPT_TRY(subject.AwaitEnd());
  ReapDescendants(dumped.tree);
  return dumped;
}

Result<long> SharedKib(pid_t pid) {
  constexpr std::string_view kField = "Shared_Dirty:";
  CKPT_TRY(const std::string text, ReadWholeFile(fmt::format("/proc/{}/smaps_rollup", pid)));
  const size_t at = text.find(kField);
  return at == text.npos ? 0 : std::stol(text.substr(at + kField.size()));
}

bool Exists(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::vector<std::string> OpenDescriptors() { return ListDirectory("/proc/self/fd").value(); }

std::string VerdictOf(const DumpedSubject& dumped) {
  Result<Subject> subject = Subject::Adopt(dumped.pid, dumped.workdir);
  if (subject.has_error()) return subject.error().message;
  Result<std::string> verdict = subject.value().Verdict();
  return verdict.has_error() ? verdict.error().message : verdict.value();
}

}  // namespace ckpt
