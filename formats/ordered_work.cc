#include "formats/ordered_work.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "base/result.h"

namespace ckpt {

OrderedWork::OrderedWork(size_t threads, size_t most_in_flight) : most_in_flight_(most_in_flight) {
  CKPT_CHECK(threads > 0 && most_in_flight > 0);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

OrderedWork::~OrderedWork() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

size_t OrderedWork::DefaultThreads() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  return std::max(1, CPU_COUNT(&allowed));
}

void OrderedWork::Add(std::function<void()> work, std::function<void()> take) {
  WaitForRoom();
  auto piece = std::make_shared<Piece>(Piece{std::move(work), std::move(take)});
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(piece);
    in_flight_.push_back(std::move(piece));
    ++next_number_;
  }
  changed_.notify_all();
}

void OrderedWork::WaitForRoom() {
  while (in_flight_.size() >= most_in_flight_) TakeOldest();
}

void OrderedWork::Finish() {
  while (!in_flight_.empty()) TakeOldest();
}

void OrderedWork::TakeOldest() {
  std::shared_ptr<Piece> oldest;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return in_flight_.front()->done; });
    oldest = std::move(in_flight_.front());
    in_flight_.pop_front();
  }
  oldest->take();
  {
    const std::lock_guard lock(mutex_);
    ++taken_;
  }
  changed_.notify_all();
}

bool OrderedWork::WaitForTurn(uint64_t number) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ending_ || taken_ >= number; });
  return taken_ >= number;
}

void OrderedWork::Run() {
  while (true) {
    std::shared_ptr<Piece> piece;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      piece = std::move(waiting_.front());
      waiting_.pop_front();
    }
    piece->work();
    {
      const std::lock_guard lock(mutex_);
      piece->done = true;
    }
    changed_.notify_all();
  }
}

}  // namespace ckpt
