#include "dumper/shared_memory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include <vector>

#include "process/maps.h"

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

char* MapShared(size_t pages, int fd = -1) {
  void* const memory = mmap(nullptr, pages * kPageSize, PROT_READ | PROT_WRITE,
                            fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
  EXPECT_NE(memory, MAP_FAILED);
  return static_cast<char*>(memory);
}

Mapping MappingAt(const void* address) {
  const std::vector<Mapping> mappings = ReadMappings(getpid(), {}).value();
  for (const Mapping& mapping : mappings) {
    if (mapping.start == reinterpret_cast<uint64_t>(address)) return mapping;
  }
  ADD_FAILURE() << "no mapping";
  return {};
}

TEST(SharedMemoryTest, FilesWithoutANameAreToldApart) {
  char* const anonymous = MapShared(3);
  EXPECT_EQ(NamelessFileOf(MappingAt(anonymous)), NamelessFile::kSharedAnonymous);
  const UniqueFd zero = OpenFile("/dev/zero", O_RDWR).value();
  EXPECT_EQ(NamelessFileOf(MappingAt(MapShared(5, zero.get()))), NamelessFile::kSharedAnonymous);
  const UniqueFd file(memfd_create("x", 0));
  ASSERT_EQ(ftruncate(file.get(), 4096), 0);
  EXPECT_EQ(NamelessFileOf(MappingAt(MapShared(1, file.get()))), NamelessFile::kMemoryFile);
  const int segment = shmget(IPC_PRIVATE, 4096, 0600);
  void* const attached = shmat(segment, nullptr, 0);
  shmctl(segment, IPC_RMID, nullptr);
  EXPECT_EQ(NamelessFileOf(MappingAt(attached)), NamelessFile::kSystemV);
  shmdt(attached);
}

TEST(SharedMemoryTest, AFileOfTheSameNameIsAFile) {
  Mapping mapping;
  mapping.shared = true;
  mapping.inode = 5;
  mapping.dev_major = 8;
  mapping.path = "/dev/zero (deleted)";
  EXPECT_EQ(NamelessFileOf(mapping), NamelessFile::kNone);
}

TEST(SharedMemoryTest, DataIsFoundOnceWhereverItIsMappedAndHolesAreNot) {
  char* const memory = MapShared(100);
  memory[0] = 'a';
  memory[10 * kPageSize] = 'b';
  memory[11 * kPageSize] = 'c';
  memory[99 * kPageSize] = 'd';
  Mapping part = MappingAt(memory);
  part.start += 5 * kPageSize;
  part.file_offset += 5 * kPageSize;
  part.end -= 20 * kPageSize;
  SharedMemories memories;
  // Only what is mapped counts for the size; the rest is out of reach.
  ASSERT_EQ(mprotect(memory + 80 * kPageSize, 20 * kPageSize, PROT_NONE), 0);
  ASSERT_TRUE(memories.Add(getpid(), {MappingAt(memory)}).has_value());
  ASSERT_TRUE(memories.Add(getpid(), {part}).has_value());
  ASSERT_TRUE(memories.FindPages().has_value());
  ASSERT_THAT(memories.memories(), SizeIs(1));
  const SharedMemory& found = memories.memories().front();
  EXPECT_EQ(found.shmid, part.inode);
  EXPECT_EQ(found.size_bytes, 80 * kPageSize);
  EXPECT_THAT(found.pages,
              ElementsAre(RemoteRange{0, kPageSize}, RemoteRange{10 * kPageSize, 12 * kPageSize}));
  munmap(memory, 100 * kPageSize);
}

}  // namespace
}  // namespace ckpt
