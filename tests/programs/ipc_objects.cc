// System V objects in an IPC namespace of its own: shared memory that is attached and that nobody
// has, queues with messages of several lengths, sets of semaphores.
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr size_t kSegmentBytes = 3 * 4096;
constexpr int kSemaphores = 3;

char* MakeSegment(key_t key, char fill) {
  const int id = shmget(key, kSegmentBytes, IPC_CREAT | IPC_EXCL | 0640);
  REQUIRE(id >= 0);
  void* const memory = shmat(id, nullptr, 0);
  REQUIRE(memory != reinterpret_cast<void*>(-1));
  memset(memory, fill, kSegmentBytes / 2);
  return static_cast<char*>(memory);
}

struct Message {
  long type;
  char text[64];
};

int MakeQueue() {
  const int id = msgget(0x6d51, IPC_CREAT | IPC_EXCL | 0600);
  REQUIRE(id >= 0);
  for (const size_t length : {size_t{0}, size_t{5}, size_t{8}, size_t{61}}) {
    Message message = {static_cast<long>(length + 1), {}};
    memset(message.text, 'm', length);
    REQUIRE(msgsnd(id, &message, length, 0) == 0);
  }
  return id;
}

int MakeSemaphores() {
  const int id = semget(0x5e3a, kSemaphores, IPC_CREAT | IPC_EXCL | 0660);
  REQUIRE(id >= 0);
  for (int i = 0; i < kSemaphores; ++i) REQUIRE(semctl(id, i, SETVAL, 7 * i + 1) == 0);
  return id;
}

void Run() {
  const char* const attached = MakeSegment(0x5341, 'a');
  REQUIRE(shmdt(MakeSegment(0x5342, 'b')) == 0);
  const int queue = MakeQueue();
  const int semaphores = MakeSemaphores();

  ReadyAndAwaitGo();

  EXPECT_EQUAL(attached[0], 'a');
  EXPECT_EQUAL(attached[kSegmentBytes - 1], 0);
  Message message = {};
  EXPECT_EQUAL(msgrcv(queue, &message, sizeof(message.text), 62, IPC_NOWAIT), 61);
  EXPECT_EQUAL(semctl(semaphores, 2, GETVAL), 15);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
