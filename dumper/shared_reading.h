// Many things to read under a freeze, read by two threads and taken in their order by one.
#ifndef DUMPER_SHARED_READING_H_
#define DUMPER_SHARED_READING_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ckpt {

// A thread of its own reads from construction on, chunk after chunk; the one that takes reads those
// that nobody has begun, so that both end at one time, whatever taking costs. Destruction ends the
// reading after the chunk that it is at.
template <typename Value>
class SharedReading {
 public:
  using Reader = std::function<Result<Value>(int number)>;  // called by both threads
  using Taker = std::function<Result<>(Value value)>;

  // `numbers` outlive the reading.
  SharedReading(std::span<const int> numbers, Reader read)
      : numbers_(numbers),
        read_(std::move(read)),
        chunks_((numbers.size() + kChunkValues - 1) / kChunkValues),
        other_thread_(std::async(std::launch::async, [this] { ReadRest(); })) {}
  SharedReading(const SharedReading&) = delete;
  SharedReading& operator=(const SharedReading&) = delete;
  ~SharedReading() { next_ = chunks_.size(); }

  // All values, by the order of their numbers; the first error of either ends it.
  Result<> TakeAll(const Taker& take) {
    size_t taken = 0;
    for (bool goes_on = true; goes_on;) {
      goes_on = ReadNext();
      for (; taken < chunks_.size() && chunks_[taken].is_read; ++taken) {
        CKPT_TRY(Take(chunks_[taken], take));
      }
    }
    for (; taken < chunks_.size(); ++taken) {
      chunks_[taken].is_read.wait(false);
      CKPT_TRY(Take(chunks_[taken], take));
    }
    return success();
  }

 private:
  static constexpr size_t kChunkValues = 32;

  struct Chunk {
    std::vector<Value> values = {};
    Result<> outcome = success();
    std::atomic<bool> is_read = false;
  };

  static Result<> Take(Chunk& chunk, const Taker& take) {
    CKPT_TRY(chunk.outcome);
    for (Value& value : chunk.values) CKPT_TRY(take(std::move(value)));
    chunk.values.clear();
    return success();
  }

  void ReadRest() {
    while (ReadNext()) {
    }
  }

  // A chunk that nobody has begun; false where there is none.
  bool ReadNext() {
    const size_t index = next_.fetch_add(1);
    if (index >= chunks_.size()) return false;
    Chunk& chunk = chunks_[index];
    const std::span<const int> rest = numbers_.subspan(index * kChunkValues);
    chunk.outcome = ReadInto(rest.first(std::min(rest.size(), kChunkValues)), chunk.values);
    chunk.is_read = true;
    chunk.is_read.notify_one();
    return true;
  }

  Result<> ReadInto(std::span<const int> numbers, std::vector<Value>& values) const {
    values.reserve(numbers.size());
    for (const int number : numbers) {
      CKPT_TRY(values.emplace_back(), read_(number));
    }
    return success();
  }

  std::span<const int> numbers_;
  Reader read_;
  std::vector<Chunk> chunks_;
  std::atomic<size_t> next_ = 0;
  std::future<void> other_thread_;  // ends before what it reads into
};

}  // namespace ckpt

#endif  // DUMPER_SHARED_READING_H_
