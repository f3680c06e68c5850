// Holds a given amount of memory, for the benchmark: WORKDIR/size says how many bytes.
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/programs/program.h"

int main(int argc, char** argv) {
  using namespace ckpt;
  Begin(argc, argv);
  const size_t size = strtoull(FileText("size").c_str(), nullptr, 10);
  REQUIRE(size > 0);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto* words = static_cast<volatile unsigned long*>(memory);
  for (size_t i = 0; i < size / sizeof(*words); ++i) words[i] = i * 2654435761u + 1;
  ReadyAndAwaitGo();
  Finish();
}
