// Dumps by CRIU which together have every type of image that it can be brought to write here.
#ifndef TESTS_IMAGES_MATRIX_DUMPS_H_
#define TESTS_IMAGES_MATRIX_DUMPS_H_

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace ckpt {

// Where the program runs.
enum class MatrixSetting {
  kContainer,      // tests/harness/container.h; dumped with all its namespaces
  kUnderInit,      // the same, dumped without pid 1: the PID namespace is external
  kUserNamespace,  // user_container.h
};

// One program, and how CRIU dumps it.
struct MatrixDump {
  std::string name;  // of the program, too
  MatrixSetting setting = MatrixSetting::kContainer;
  unsigned more_namespaces = 0;             // CLONE_ flags beside those of a container
  std::vector<std::string> arguments = {};  // of criu dump
  // Commands in its network namespace, before.
  std::vector<std::vector<std::string>> network_commands = {};
  std::string refusal = {};  // what CRIU says where it cannot dump it; else empty
};

std::span<const MatrixDump> MatrixDumps();

// Dumps the program, which goes on and finds everything as it was. The directory of the images,
// made once in a test program; where CRIU refuses, its error.
const Result<std::string>& DumpedOnce(const MatrixDump& dump);

}  // namespace ckpt

#endif  // TESTS_IMAGES_MATRIX_DUMPS_H_
