// Changes 64 MB of memory all the time, in ways that a dump must see none between: words counted up
// page after page, memory mapped, moved and dropped, and blocks of a file read into it past the
// page cache (O_DIRECT), where the file system can.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPages = 16384;
constexpr size_t kWords = kPage / sizeof(uint64_t);
constexpr size_t kSlots = 256;
constexpr size_t kMoved = 64;  // pages

std::atomic<bool> is_over = false;

uint64_t* Map(size_t pages) {
  void* memory =
      mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  return static_cast<uint64_t*>(memory);
}

void FillPage(uint64_t* page, uint64_t value) {
  for (size_t i = 0; i < kWords; ++i) page[i] = value + i;
}
bool IsFilled(const uint64_t* page, uint64_t value) {
  for (size_t i = 0; i < kWords; ++i) {
    if (page[i] != value + i) return false;
  }
  return true;
}

// Every block of the file has its number. What was read last into each slot is noted after it.
struct DirectReads {
  int fd = -1;
  uint64_t* slots = nullptr;
  std::array<std::atomic<uint64_t>, kSlots> started = {};
  std::array<std::atomic<uint64_t>, kSlots> done = {};
};
DirectReads direct;

void PrepareDirectReads() {
  const int made = open("blocks", O_CREAT | O_RDWR, 0644);
  REQUIRE(made >= 0);
  uint64_t* page = Map(1);
  for (uint64_t block = 0; block < kSlots; ++block) {
    FillPage(page, block << 32);
    REQUIRE(write(made, page, kPage) == static_cast<ssize_t>(kPage));
  }
  REQUIRE(fsync(made) == 0 && close(made) == 0 && munmap(page, kPage) == 0);
  direct.slots = Map(kSlots);
  direct.fd = open("blocks", O_RDONLY | O_DIRECT);
  if (direct.fd >= 0 && pread(direct.fd, direct.slots, kPage, 0) < 0) {
    close(direct.fd);
    direct.fd = -1;
  }
}

void* ReadDirectly(void*) {
  for (uint64_t n = 1; !is_over && direct.fd >= 0; ++n) {
    const size_t slot = n % kSlots;
    const uint64_t block = (n * 7 + n / kSlots) % kSlots;
    direct.started[slot] = block;
    const ssize_t got =
        pread(direct.fd, direct.slots + slot * kWords, kPage, static_cast<off_t>(block * kPage));
    EXPECT_EQUAL(got, kPage);
    direct.done[slot] = block;
  }
  return nullptr;
}

void ExpectDirectReads() {
  if (direct.fd < 0) return;
  for (size_t slot = 1; slot < kSlots; ++slot) {
    EXPECT_EQUAL(direct.started[slot], direct.done[slot]);
    EXPECT(IsFilled(direct.slots + slot * kWords, direct.done[slot] << 32));
  }
}

// Two areas that change places, and one that is always new.
struct MovingMemory {
  uint64_t* here = Map(kMoved);
  uint64_t* there = Map(kMoved);
  uint64_t here_value = 0, there_value = 0;

  void Step(uint64_t n) {
    FillAll(here, here_value = n << 16);
    uint64_t* aside = Map(kMoved);
    Move(here, aside);
    Move(there, here);
    Move(aside, there);
    std::swap(here_value, there_value);
    if (n % 3 == 0) {
      REQUIRE(madvise(here, kMoved * kPage, MADV_DONTNEED) == 0);
      FillAll(here, here_value = n << 20);
    }
  }
  static void FillAll(uint64_t* area, uint64_t value) {
    for (size_t i = 0; i < kMoved; ++i) FillPage(area + i * kWords, value + i);
  }
  static void Move(uint64_t* from, uint64_t* to) {
    REQUIRE(mremap(from, kMoved * kPage, kMoved * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
  }
  void Expect() const {
    for (size_t i = 0; i < kMoved; ++i) {
      EXPECT(IsFilled(here + i * kWords, here_value + i));
      EXPECT(IsFilled(there + i * kWords, there_value + i));
    }
  }
};

void Run() {
  PrepareDirectReads();
  pthread_t reader;
  REQUIRE(pthread_create(&reader, nullptr, ReadDirectly, nullptr) == 0);
  uint64_t* memory = Map(kPages);
  MovingMemory moving;
  moving.Step(1);
  moving.Step(2);
  uint64_t n = 0;
  while (true) {
    uint64_t* page = memory + n % kPages * kWords;
    page[0] = ++n;
    page[kWords - 1] = ~n;
    if (n % 64 == 0) moving.Step(n);
    if (n == kPages) Ready();
    if (n >= kPages && n % 1024 == 0 && GoArrived()) break;
  }
  for (uint64_t last = n; last > n - kPages; --last) {
    const uint64_t* page = memory + (last - 1) % kPages * kWords;
    EXPECT_EQUAL(page[0], last);
    EXPECT_EQUAL(page[kWords - 1], ~last);
  }
  moving.Expect();
  is_over = true;
  REQUIRE(pthread_join(reader, nullptr) == 0);
  ExpectDirectReads();
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
