// Anonymous memory that parent and children share: whole and in part, with holes, by /dev/zero.
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kPages = 1024;

char* Map(size_t pages, int fd = -1) {
  void* const memory = mmap(nullptr, pages * kPageBytes, PROT_READ | PROT_WRITE,
                            fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
  REQUIRE(memory != MAP_FAILED);
  return static_cast<char*>(memory);
}

char Pattern(size_t page) { return static_cast<char>(1 + page % 100); }

bool IsFilled(const char* page, char what) {
  return page[0] == what && memcmp(page, page + 1, kPageBytes - 1) == 0;
}

void Run() {
  char* const whole = Map(kPages);
  for (size_t page = 0; page < kPages; page += 3) {
    memset(whole + page * kPageBytes, Pattern(page), kPageBytes);
  }
  char* const written_by_child = Map(4);
  const int zero = open("/dev/zero", O_RDWR);
  char* const by_device = Map(2, zero);
  close(zero);
  strcpy(by_device, "by device");
  char* const of_one = Map(3);  // of the root alone, in the end

  const pid_t child = StartChild([&] {
    munmap(of_one, 3 * kPageBytes);
    strcpy(written_by_child + kPageBytes, "by the child");
    REQUIRE(mprotect(by_device, kPageBytes, PROT_READ) == 0);
    // Only pages 100 to 199, in the place of the first, and so still above the others: CRIU's
    // restore of a segment waits for all that share it, forever where one has its segments in
    // another order.
    char* const part =
        static_cast<char*>(mremap(whole + 100 * kPageBytes, 100 * kPageBytes, 100 * kPageBytes,
                                  MREMAP_MAYMOVE | MREMAP_FIXED, whole));
    REQUIRE(part == whole);
    munmap(whole + 200 * kPageBytes, (kPages - 200) * kPageBytes);
    ReadyAndAwaitGo();
    for (size_t page = 100; page < 200; ++page) {
      EXPECT(IsFilled(part + (page - 100) * kPageBytes, page % 3 == 0 ? Pattern(page) : 0));
    }
    EXPECT_SAME(by_device, "by device");
    EXPECT_SAME(written_by_child + 2 * kPageBytes, "by the parent");
    strcpy(part, "told to the parent");
  });
  const pid_t keeper = StartChild([&] {
    ReadyAndAwaitGo();
    EXPECT_SAME(whole + 100 * kPageBytes, "told to the parent");
    EXPECT_SAME(written_by_child + kPageBytes, "by the child");
  });
  strcpy(of_one, "of one");

  ReadyAndAwaitGo();

  for (size_t page = 0; page < kPages; ++page) {
    EXPECT(IsFilled(whole + page * kPageBytes, page % 3 == 0 ? Pattern(page) : 0));
  }
  EXPECT_SAME(of_one, "of one");
  EXPECT_SAME(written_by_child + kPageBytes, "by the child");
  strcpy(written_by_child + 2 * kPageBytes, "by the parent");
  EndChild(child);
  EndChild(keeper);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
