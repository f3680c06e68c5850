// Work on pages piece by piece, by several threads.
#ifndef FORMATS_PAGE_WORKERS_H_
#define FORMATS_PAGE_WORKERS_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include "base/result.h"

namespace ckpt {

// How many there are processors to run.
size_t DefaultThreadCount();

// Told now and then how many bytes are done, by one thread at a time. An error that it returns ends
// the work.
using PageProgress = std::function<Result<>(uint64_t done_bytes, uint64_t total_bytes)>;

// Counts what several threads do, for one PageProgress.
class PageCount {
 public:
  PageCount(PageProgress progress, uint64_t total_bytes)
      : progress_(std::move(progress)), total_bytes_(total_bytes) {}
  Result<> Add(uint64_t bytes);

 private:
  std::mutex mutex_;
  PageProgress progress_;
  uint64_t total_bytes_;
  uint64_t done_bytes_ = 0;
};

// Pieces in the order of their numbers, whoever finishes first.
class PieceOrder {
 public:
  // Waits until all pieces before `index` have passed, then calls `pass`, for one piece at a time.
  // Nothing is called, and false is returned, once Stop() was called.
  bool Pass(size_t index, const std::function<void()>& pass);
  void Stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t next_ = 0;
  bool stopped_ = false;
};

// Calls `work` with 0 to `count` - 1, each once and begun in that order, by at most `thread_count`
// threads of which the caller's is one. The first error is returned; `stop` is then called, and no
// further piece is begun.
Result<> WorkOnPieces(
    size_t count, size_t thread_count, const std::function<Result<>(size_t index)>& work,
    const std::function<void()>& stop = [] {});

}  // namespace ckpt

#endif  // FORMATS_PAGE_WORKERS_H_
