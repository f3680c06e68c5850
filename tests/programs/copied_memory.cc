// Memory that parent and child have in common since fork, until one of them writes.
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr size_t kPages = 512;
constexpr size_t kPageBytes = 4096;

char* memory = nullptr;
char data[4 * kPageBytes] = "of the program";  // private pages of a file

void Write(size_t page, char what) { memset(memory + page * kPageBytes, what, kPageBytes); }

// Page N holds what `expected` says; nothing else was written to it.
template <typename Function>
void ExpectPages(Function expected) {
  for (size_t page = 0; page < kPages; ++page) {
    const char* const begin = memory + page * kPageBytes;
    EXPECT_EQUAL(begin[0], expected(page));
    EXPECT(memcmp(begin, begin + 1, kPageBytes - 1) == 0);
  }
}

char Original(size_t page) { return static_cast<char>(page % 2 == 0 ? page % 100 : 0); }

void Run() {
  memory = static_cast<char*>(mmap(nullptr, kPages * kPageBytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(memory != MAP_FAILED);
  for (size_t page = 0; page < kPages; page += 2) Write(page, Original(page));
  strcpy(data, "of the parent");
  const pid_t reader = StartChild([] {
    ReadyAndAwaitGo();
    ExpectPages(Original);
    EXPECT_SAME(data, "of the parent");
  });
  const pid_t writer = StartChild([] {
    for (size_t page = 0; page < kPages; page += 5) Write(page, 'c');
    strcpy(data, "of the child");
    const pid_t grandchild = StartChild([] {
      Write(0, 'g');
      ReadyAndAwaitGo();
      ExpectPages([](size_t page) {
        return page == 0 ? 'g' : page % 5 == 0 ? 'c' : Original(page);
      });
      EXPECT_SAME(data, "of the child");
    });
    ReadyAndAwaitGo();
    ExpectPages([](size_t page) { return page % 5 == 0 ? 'c' : Original(page); });
    EXPECT_SAME(data, "of the child");
    EndChild(grandchild);
  });
  const pid_t unmapper = StartChild([] {
    REQUIRE(munmap(memory + kPageBytes, (kPages - 2) * kPageBytes) == 0);
    ReadyAndAwaitGo();
    EXPECT_EQUAL(memory[0], Original(0));
    EXPECT_EQUAL(memory[(kPages - 1) * kPageBytes], Original(kPages - 1));
  });
  Write(7, 'p');

  ReadyAndAwaitGo();

  ExpectPages([](size_t page) { return page == 7 ? 'p' : Original(page); });
  EXPECT_SAME(data, "of the parent");
  for (const pid_t child : {reader, writer, unmapper}) EndChild(child);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
