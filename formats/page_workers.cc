#include "formats/page_workers.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace ckpt {

size_t DefaultThreadCount() { return std::max(1U, std::thread::hardware_concurrency()); }

Result<> PageCount::Add(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_bytes_ += bytes;
  return progress_ ? progress_(done_bytes_, total_bytes_) : Result<>(success());
}

bool PieceOrder::Pass(size_t index, const std::function<void()>& pass) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return next_ == index || stopped_; });
  if (stopped_) return false;
  pass();
  ++next_;
  changed_.notify_all();
  return true;
}

void PieceOrder::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

Result<> WorkOnPieces(size_t count, size_t thread_count,
                      const std::function<Result<>(size_t index)>& work,
                      const std::function<void()>& stop) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> error;
  const auto run = [&] {
    while (true) {
      const size_t index = next.fetch_add(1);
      if (index >= count) return;
      Result<> done = work(index);
      if (done.has_value()) continue;
      next = count;
      const std::lock_guard lock(mutex);
      if (!error) error = std::move(done).error();
      stop();
      return;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(thread_count, count); ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
  if (error) return *std::move(error);
  return success();
}

}  // namespace ckpt
