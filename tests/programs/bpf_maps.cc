// Maps of BPF, with entries.
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

int Bpf(int command, bpf_attr& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

int MakeMap(uint32_t type, const char* name) {
  bpf_attr attributes = {};
  attributes.map_type = type;
  attributes.key_size = 4;
  attributes.value_size = 8;
  attributes.max_entries = 4;
  strcpy(attributes.map_name, name);
  const int fd = Bpf(BPF_MAP_CREATE, attributes);
  REQUIRE(fd >= 0);
  for (uint32_t key = 0; key < 3; ++key) {
    const uint64_t value = 0x1122334455667788 + key;
    bpf_attr update = {};
    update.map_fd = static_cast<uint32_t>(fd);
    update.key = reinterpret_cast<uint64_t>(&key);
    update.value = reinterpret_cast<uint64_t>(&value);
    REQUIRE(Bpf(BPF_MAP_UPDATE_ELEM, update) == 0);
  }
  return fd;
}

uint64_t Lookup(int map, uint32_t key) {
  uint64_t value = 0;
  bpf_attr attributes = {};
  attributes.map_fd = static_cast<uint32_t>(map);
  attributes.key = reinterpret_cast<uint64_t>(&key);
  attributes.value = reinterpret_cast<uint64_t>(&value);
  REQUIRE(Bpf(BPF_MAP_LOOKUP_ELEM, attributes) == 0);
  return value;
}

void Run() {
  const int array = MakeMap(BPF_MAP_TYPE_ARRAY, "array");
  const int hash = MakeMap(BPF_MAP_TYPE_HASH, "hash");

  ReadyAndAwaitGo();

  for (const int map : {array, hash}) EXPECT_EQUAL(Lookup(map, 2), 0x112233445566778a);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
