// For tests: a pipe between the test and what it runs.
#ifndef IMGTOOL_TEST_PIPE_H_
#define IMGTOOL_TEST_PIPE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "base/file.h"

namespace ckpt {

struct TestPipe {
  UniqueFd reader;
  UniqueFd writer;
};

inline TestPipe MakeTestPipe() {
  std::array<int, 2> fds;
  EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

}  // namespace ckpt

#endif  // IMGTOOL_TEST_PIPE_H_
