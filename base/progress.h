// Progress of long work, on one line of a terminal that is written again and again.
#ifndef BASE_PROGRESS_H_
#define BASE_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace ckpt {

// Writes to stderr, and only where that is a terminal and the work takes more than a second.
// Not for use by several threads at once.
class Progress {
 public:
  // `what` says what is done, such as "writing pages".
  explicit Progress(std::string what);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(uint64_t done_bytes, uint64_t total_bytes);

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

// "writing pages: 40 % of 1024 MB, 512 MB/s, 1 s left". Pure.
std::string ProgressLine(const std::string& what, uint64_t done_bytes, uint64_t total_bytes,
                         double elapsed_seconds);

}  // namespace ckpt

#endif  // BASE_PROGRESS_H_
