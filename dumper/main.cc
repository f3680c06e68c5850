#include <malloc.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "dumper/run_dump.h"

namespace {

// What the dump of a small process takes of the heap, and of the stack.
constexpr size_t kHeapBytes = size_t{2} << 20;
constexpr size_t kStackBytes = size_t{256} << 10;
constexpr size_t kPageBytes = 4096;

void TouchStack() {
  std::array<volatile char, kStackBytes> stack;
  for (size_t at = 0; at < stack.size(); at += kPageBytes) stack[at] = 0;
}

// So that the kernel has no pages to give while the tree stands frozen.
void TouchMemory() {
  // An arena of its own for each thread would be mapped then, too.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 2 * kHeapBytes);
  mallopt(M_TRIM_THRESHOLD, 32 * kHeapBytes);
  auto* const heap = static_cast<volatile char*>(std::malloc(kHeapBytes));
  for (size_t at = 0; heap != nullptr && at < kHeapBytes; at += kPageBytes) heap[at] = 0;
  std::free(const_cast<char*>(heap));
  TouchStack();
}

}  // namespace

int main(int argc, char** argv) {
  TouchMemory();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return ckpt::RunDump(arguments, std::cout, std::cerr);
}
