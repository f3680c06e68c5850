// A forked child that a test traces, and that ends with the test.
#ifndef PROCESS_CHILD_FOR_TEST_H_
#define PROCESS_CHILD_FOR_TEST_H_

#include <sys/types.h>

#include <functional>

namespace ckpt {

class ChildForTest {
 public:
  // The child runs `body`, which calls `ready` when it may be looked at, and exits with what it
  // returns. The constructor returns once `ready` was called.
  explicit ChildForTest(const std::function<int(const std::function<void()>& ready)>& body);
  ChildForTest(const ChildForTest&) = delete;
  ChildForTest& operator=(const ChildForTest&) = delete;
  ~ChildForTest();  // kills and reaps it

  pid_t pid() const { return pid_; }
  // Its exit status, or minus the signal that ended it.
  int Wait();

 private:
  pid_t pid_ = 0;
};

}  // namespace ckpt

#endif  // PROCESS_CHILD_FOR_TEST_H_
