// Runs a program whose system calls that change the disk can be made to fail, or to be its last.
#ifndef TESTS_FAULTS_FAULTY_RUN_H_
#define TESTS_FAULTS_FAULTY_RUN_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace ckpt {

struct Fault {
  size_t call = 0;       // which of the calls that change the disk, from 0
  int error_number = 0;  // what it fails with, without being carried out; 0: the program is killed
};

struct FaultyRun {
  size_t disk_calls = 0;    // that were made, the faulty one included
  std::string faulty_call;  // its name; empty when the program ended before
  bool was_killed = false;
  int exit_status = 0;  // when it was not
};

// Runs arguments[0], a path, under ptrace, its outputs going to /dev/null. Only calls of the first
// thread count. Calls that change the disk: opening with O_CREAT or O_TRUNC, writing to anything
// but the three standard descriptors, making, linking, renaming and removing, setting sizes,
// owners, modes, times and attributes, cloning and copying file ranges, and syncing. x86-64 only:
// kUnsupported elsewhere.
Result<FaultyRun> RunWithFault(const std::vector<std::string>& arguments,
                               std::optional<Fault> fault);

}  // namespace ckpt

#endif  // TESTS_FAULTS_FAULTY_RUN_H_
