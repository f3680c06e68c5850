// A process to look at with a debugger: threads that wait in functions with known variables, and
// memory of every kind with a text in it. Runs as `debugged WORKDIR` until it is killed, as what
// tests/programs/program.h tells, but has no verdict: the debugger is the judge.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

extern "C" {
char global_text[] = "a text that was there at the dump";
volatile uint64_t global_number = 0x123456789abcdef0;
volatile int global_untouched[4096];
char* heap_text = nullptr;
char* shared_text = nullptr;
char* file_text = nullptr;  // a private mapping of a file: the first page copied, the second not
thread_local volatile int thread_number = 0;
}

namespace {

constexpr size_t kMapped = 8192;

pthread_barrier_t all_wait;
volatile bool waits = true;

[[noreturn]] void Fail(const char* what) {
  perror(what);
  exit(1);
}

char* Map(size_t size, int flags, int fd) {
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) Fail("mmap");
  return static_cast<char*>(address);
}

// What every thread is stopped in, `depth` calls deep.
__attribute__((noinline)) uint64_t WaitAt(int depth) {
  volatile uint64_t remembered = 1000u * static_cast<uint64_t>(depth) + 7;
  if (depth > 0) return WaitAt(depth - 1) + remembered;
  pthread_barrier_wait(&all_wait);
  while (waits) pause();
  return remembered;
}

void* RunThread(void* number) {
  thread_number = static_cast<int>(reinterpret_cast<intptr_t>(number));
  return reinterpret_cast<void*>(WaitAt(thread_number));
}

void MakeMemory() {
  heap_text = strdup("a text in the heap");
  shared_text = Map(kMapped, MAP_SHARED | MAP_ANONYMOUS, -1);
  strcpy(shared_text, "a text in shared memory");
  const int file = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0) Fail("open");
  const std::string text = "first page" + std::string(4086, ' ') + "second page";
  if (write(file, text.data(), text.size()) < 0 || ftruncate(file, kMapped) != 0) Fail("write");
  file_text = Map(kMapped, MAP_PRIVATE, file);
  strcpy(file_text, "first page, written");
}

void TellReady() {
  const int file = open("ready.new", O_WRONLY | O_CREAT, 0600);
  if (file < 0 || rename("ready.new", "ready") != 0) Fail("ready");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || chdir(argv[1]) != 0) return 1;
  MakeMemory();
  pthread_barrier_init(&all_wait, nullptr, 4);
  for (intptr_t number = 1; number < 4; ++number) {
    pthread_t thread{};
    if (pthread_create(&thread, nullptr, RunThread, reinterpret_cast<void*>(number)) != 0) {
      Fail("pthread_create");
    }
  }
  pthread_barrier_wait(&all_wait);
  TellReady();
  while (true) pause();
}
