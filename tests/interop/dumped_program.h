// A program of tests/programs that was dumped once, to be restored as often as tests like.
#ifndef TESTS_INTEROP_DUMPED_PROGRAM_H_
#define TESTS_INTEROP_DUMPED_PROGRAM_H_

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/harness/engine.h"
#include "tests/harness/subject.h"

namespace ckpt {

// A program, and the state in which it is dumped.
struct ProgramCase {
  const char* name;      // of the program
  bool stopped = false;  // by SIGSTOP, before the dump
};

// The files of the program are as they were at the dump at the start of each restore: what a
// restored process did to them is undone.
class DumpedProgram {
 public:
  // Starts the program, dumps it, with `more` arguments for the dumper, and waits for its end.
  static Result<DumpedProgram> Make(const ProgramCase& program, Engine dumper,
                                    const std::vector<std::string>& more = {});

  const std::string& images() const { return images_; }

  // TreeSnapshotOf() the process before the dump.
  const std::string& snapshot() const { return snapshot_; }

  Result<Subject> RestoreBy(Engine restorer) const;

 private:
  DumpedProgram() = default;

  std::string workdir_;
  std::string saved_workdir_;
  std::string images_;
  std::string snapshot_;
};

// Every case of the interop tests.
std::span<const ProgramCase> ProgramCases();

// The name of the case.
std::string Title(const ProgramCase& program);

// Why `dumper` cannot dump the program on this machine; empty when it can.
std::string WhyNotDumped(const ProgramCase& program, Engine dumper);

// The dump of the program by the dumper: made at the first call, kept until the test ends.
const Result<DumpedProgram>& DumpOnce(const ProgramCase& program, Engine dumper);

}  // namespace ckpt

#endif  // TESTS_INTEROP_DUMPED_PROGRAM_H_
