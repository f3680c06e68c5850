#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace ckpt {

namespace {

constexpr std::chrono::milliseconds kFirstAfter{1000};
constexpr std::chrono::milliseconds kInterval{200};
constexpr double kMegabyte = 1 << 20;

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      last_(start_ + kFirstAfter - kInterval) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\n");
}

void Progress::Update(uint64_t done_bytes, uint64_t total_bytes) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - last_ < kInterval) return;
  last_ = now;
  shown_ = true;
  const std::chrono::duration<double> elapsed = now - start_;
  fmt::print(stderr, "\r{}\033[K", ProgressLine(what_, done_bytes, total_bytes, elapsed.count()));
}

std::string ProgressLine(const std::string& what, uint64_t done_bytes, uint64_t total_bytes,
                         double elapsed_seconds) {
  const double rate = static_cast<double>(done_bytes) / elapsed_seconds;
  const double left_seconds = static_cast<double>(total_bytes - done_bytes) / rate;
  return fmt::format("{}: {:.0f} % of {:.0f} MB, {:.0f} MB/s, {:.0f} s left", what,
                     100.0 * static_cast<double>(done_bytes) / static_cast<double>(total_bytes),
                     static_cast<double>(total_bytes) / kMegabyte, rate / kMegabyte, left_seconds);
}

}  // namespace ckpt
