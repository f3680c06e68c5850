// 64 MB of memory checked by hash, and mappings of every private kind: unreadable ones with
// content, one that grows down, copied and uncopied pages of a file, holes, a locked page, the
// heap.
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kBigBytes = size_t{64} << 20;
constexpr size_t kSparseBytes = size_t{1} << 30;

char* Map(size_t size, int protection, int flags, int fd = -1) {
  void* address = mmap(nullptr, size, protection, MAP_PRIVATE | flags, fd, 0);
  REQUIRE(address != MAP_FAILED);
  return static_cast<char*>(address);
}

void Fill(char* memory, size_t size, uint64_t seed) {
  for (size_t at = 0; at < size; at += sizeof(seed)) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    memcpy(memory + at, &seed, sizeof(seed));
  }
}

uint64_t Hash(const char* memory, size_t size) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t at = 0; at < size; at += sizeof(hash)) {
    uint64_t word;
    memcpy(&word, memory + at, sizeof(word));
    hash = (hash ^ word) * 0x100000001b3u;
  }
  return hash;
}

struct Area {
  const char* name;
  char* memory;
  size_t size;
  uint64_t hash = 0;
};

Area Big() {
  Area area{"big", Map(kBigBytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS), kBigBytes};
  Fill(area.memory, area.size, 1);
  return area;
}

// To be made readable again before it is looked at.
Area Unreadable() {
  Area area{"unreadable", Map(8 * kPage, PROT_READ | PROT_WRITE, MAP_ANONYMOUS), 8 * kPage};
  Fill(area.memory, area.size, 2);
  return area;
}

Area ReadOnly() {
  Area area{"read-only", Map(4 * kPage, PROT_READ | PROT_WRITE, MAP_ANONYMOUS), 4 * kPage};
  Fill(area.memory, area.size, 3);
  REQUIRE(mprotect(area.memory, area.size, PROT_READ) == 0);
  return area;
}

Area GrowsDown() {
  const size_t size = 16 * kPage;
  Area area{"grows down", Map(size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_GROWSDOWN), size};
  Fill(area.memory, area.size, 4);
  return area;
}

// Every other page is copied on write, the rest stays the file's.
Area FilePages() {
  const size_t size = 32 * kPage;
  std::vector<char> bytes(size);
  Fill(bytes.data(), size, 5);
  const int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0644);
  REQUIRE(fd >= 0 && write(fd, bytes.data(), size) == static_cast<ssize_t>(size));
  Area area{"file pages", Map(size, PROT_READ | PROT_WRITE, 0, fd), size};
  REQUIRE(close(fd) == 0);
  for (size_t at = 0; at < size; at += 2 * kPage) Fill(area.memory + at, kPage, 6 + at);
  return area;
}

Area Sparse() {
  const int flags = MAP_ANONYMOUS | MAP_NORESERVE;
  Area area{"sparse", Map(kSparseBytes, PROT_READ | PROT_WRITE, flags), kSparseBytes};
  REQUIRE(madvise(area.memory, area.size, MADV_NOHUGEPAGE) == 0);
  return area;
}

void TouchSparse(const Area& area) {
  for (size_t at = 0; at < area.size; at += area.size / 64) Fill(area.memory + at, kPage, 7 + at);
}

uint64_t HashSparse(const Area& area) {
  uint64_t hash = 0;
  for (size_t at = 0; at < area.size; at += area.size / 64) {
    // The page after the one that was touched must be empty still.
    hash = hash * 31 + Hash(area.memory + at, 2 * kPage);
  }
  return hash;
}

Area Heap() {
  void* memory = sbrk(256 * kPage);
  REQUIRE(memory != reinterpret_cast<void*>(-1));
  Area area{"heap", static_cast<char*>(memory), 256 * kPage};
  Fill(area.memory, area.size, 8);
  return area;
}

Area Locked() {
  Area area{"locked", Map(2 * kPage, PROT_READ | PROT_WRITE, MAP_ANONYMOUS), 2 * kPage};
  Fill(area.memory, area.size, 9);
  REQUIRE(mlock(area.memory, area.size) == 0);
  return area;
}

struct Line {
  std::string begin, end, rest;
};

Line ParseLine(const std::string& text) {
  const size_t dash = text.find('-');
  const size_t space = text.find(' ');
  std::string rest = text.substr(space + 1, 4);
  const size_t name = text.find_first_of("/[", space);
  if (name != std::string::npos) rest += " " + text.substr(name);
  return {text.substr(0, dash), text.substr(dash + 1, space - dash - 1), rest};
}

// Ranges, permissions and names of /proc/self/maps, neighbours that are alike taken together: what
// the kernel merges depends on the order of the calls that made them.
std::string Layout() {
  const std::string maps = FileText("/proc/self/maps");
  std::vector<Line> lines;
  for (size_t at = 0; at < maps.size(); at = maps.find('\n', at) + 1) {
    Line line = ParseLine(maps.substr(at, maps.find('\n', at) - at));
    if (!lines.empty() && lines.back().end == line.begin && lines.back().rest == line.rest) {
      lines.back().end = line.end;
    } else {
      lines.push_back(std::move(line));
    }
  }
  std::string text;
  for (const Line& line : lines) text += line.begin + "-" + line.end + " " + line.rest + "\n";
  return text;
}

void ExpectHeapGoesOn(const void* break_before) {
  EXPECT(sbrk(0) == break_before);
  EXPECT(sbrk(kPage) == break_before);
  EXPECT(sbrk(-static_cast<intptr_t>(kPage)) == static_cast<const char*>(break_before) + kPage);
}

void Run() {
  std::vector<Area> areas = {Big(), ReadOnly(), GrowsDown(), FilePages(), Heap(), Locked()};
  for (Area& area : areas) area.hash = Hash(area.memory, area.size);
  const Area unreadable = Unreadable();
  const uint64_t unreadable_hash = Hash(unreadable.memory, unreadable.size);
  REQUIRE(mprotect(unreadable.memory, unreadable.size, PROT_NONE) == 0);
  const Area sparse = Sparse();
  TouchSparse(sparse);
  const uint64_t sparse_hash = HashSparse(sparse);
  std::string layout = Layout();
  layout = Layout();  // whatever that needs of the heap is there now
  const std::string locked = StatusField("VmLck");
  const void* break_before = sbrk(0);

  ReadyAndAwaitGo();

  ExpectHeapGoesOn(break_before);
  EXPECT_SAME(Layout(), layout);
  EXPECT_SAME(StatusField("VmLck"), locked);
  for (const Area& area : areas) {
    Expect(Hash(area.memory, area.size) == area.hash, area.name, __LINE__);
  }
  EXPECT(HashSparse(sparse) == sparse_hash);
  REQUIRE(mprotect(unreadable.memory, unreadable.size, PROT_READ) == 0);
  EXPECT(Hash(unreadable.memory, unreadable.size) == unreadable_hash);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
