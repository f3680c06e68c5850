// Pieces of work done by several threads whose results are taken in the order in which the work was
// given: for output that must not depend on who is quicker.
#ifndef FORMATS_ORDERED_WORK_H_
#define FORMATS_ORDERED_WORK_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace ckpt {

class OrderedWork {
 public:
  // `threads` at least 1; at most `most_in_flight` pieces are begun or done and not yet taken.
  OrderedWork(size_t threads, size_t most_in_flight);
  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;
  // Waits for the work that was begun; what was not is dropped.
  ~OrderedWork();

  // `work` runs on some thread, `take` later on the caller's, in order, in this call or in a later
  // one. Waits while too much is in flight.
  void Add(std::function<void()> work, std::function<void()> take);

  // Takes until another piece may be added without waiting.
  void WaitForRoom();

  // Takes all that is left.
  void Finish();

  // For `work`: waits until all that was given before it has been taken; false where that will
  // never be. Called with the number that next_number() had before its Add().
  bool WaitForTurn(uint64_t number);
  uint64_t next_number() const { return next_number_; }

  // One for each processor that this process may use.
  static size_t DefaultThreads();

 private:
  struct Piece {
    std::function<void()> work;
    std::function<void()> take;
    bool done = false;
  };

  void Run();
  void TakeOldest();

  const size_t most_in_flight_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Piece>> waiting_;    // for a thread
  std::deque<std::shared_ptr<Piece>> in_flight_;  // all that was not taken
  uint64_t next_number_ = 0;
  uint64_t taken_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ckpt

#endif  // FORMATS_ORDERED_WORK_H_
