#include "process/child_for_test.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

#include "base/result.h"

namespace ckpt {

ChildForTest::ChildForTest(const std::function<int(const std::function<void()>& ready)>& body) {
  std::array<int, 2> pipe_fds{};
  CKPT_CHECK(pipe(pipe_fds.data()) == 0);
  pid_ = fork();
  CKPT_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(pipe_fds[0]);
    _exit(body([&] { close(pipe_fds[1]); }));
  }
  close(pipe_fds[1]);
  char nothing = 0;
  static_cast<void>(!read(pipe_fds[0], &nothing, 1));  // end of file: the child is ready
  close(pipe_fds[0]);
}

ChildForTest::~ChildForTest() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, __WALL);
}

int ChildForTest::Wait() {
  int status = 0;
  CKPT_CHECK(waitpid(std::exchange(pid_, 0), &status, 0) > 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace ckpt
