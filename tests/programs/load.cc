// Much of one thing, for the benchmark: WORKDIR/load says of what and how much, such as
// "memory 1048576". Memory is in bytes.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sstream>
#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr size_t kPage = 4096;

char* Map(size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  return static_cast<char*>(memory);
}

void HoldMemory(size_t size) {
  auto* words = reinterpret_cast<volatile unsigned long*>(Map(size));
  for (size_t i = 0; i < size / sizeof(*words); ++i) words[i] = i * 2654435761u + 1;
}

// Every second page is read-only, so that the kernel makes none one with its neighbour.
void HoldMappings(size_t count) {
  char* memory = Map(count * kPage);
  for (size_t i = 0; i < count; ++i) {
    memory[i * kPage] = static_cast<char>(i | 1);
    if (i % 2 == 0) REQUIRE(mprotect(memory + i * kPage, kPage, PROT_READ) == 0);
  }
}

void HoldDescriptors(size_t count) {
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  for (size_t i = 0; i < count; ++i) {
    const std::string name = "file" + std::to_string(i % 100);
    const int fd = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    REQUIRE(fd >= 0 && lseek(fd, static_cast<off_t>(i), SEEK_SET) >= 0);
  }
}

void HoldThreads(size_t count) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, size_t{64} << 10);
  for (size_t i = 0; i < count; ++i) {
    pthread_t thread;
    const auto wait = [](void*) -> void* {
      while (true) pause();
    };
    REQUIRE(pthread_create(&thread, &attributes, wait, nullptr) == 0);
  }
}

// They end with their parent's verdict.
void HoldProcesses(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      HoldMemory(size_t{64} << 10);
      while (true) pause();
    }
  }
}

void Hold(const std::string& kind, size_t count) {
  if (kind == "memory") return HoldMemory(count);
  if (kind == "mappings") return HoldMappings(count);
  if (kind == "descriptors") return HoldDescriptors(count);
  if (kind == "threads") return HoldThreads(count);
  REQUIRE(kind == "processes");
  HoldProcesses(count);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  using namespace ckpt;
  Begin(argc, argv);
  std::istringstream load(FileText("load"));
  std::string kind;
  size_t count = 0;
  REQUIRE(static_cast<bool>(load >> kind >> count));
  Hold(kind, count);
  ReadyAndAwaitGo();
  Finish();
}
