// A program of tests/programs that was dumped and has ended, to be restored within the test.
#ifndef TESTS_RESTORE_DUMPED_SUBJECT_H_
#define TESTS_RESTORE_DUMPED_SUBJECT_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace ckpt {

struct DumpedSubject {
  pid_t pid = 0;                 // of the first process
  std::vector<pid_t> tree;       // of all, parents first
  std::vector<long> shared_kib;  // SharedKib() of each before the dump
  std::string workdir;
  std::string images;
  std::string pidfile;
};

// `test` names the directory that it is all in.
Result<DumpedSubject> DumpSubject(const std::string& program, const std::string& test);

// How much of its written memory a process shares with others, copy on write or not.
Result<long> SharedKib(pid_t pid);

bool Exists(pid_t pid);
bool Exists(const std::string& path);

// Of this process.
std::vector<std::string> OpenDescriptors();

// Lets the restored process judge itself.
std::string VerdictOf(const DumpedSubject& dumped);

}  // namespace ckpt

#endif  // TESTS_RESTORE_DUMPED_SUBJECT_H_
