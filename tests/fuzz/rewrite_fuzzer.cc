// For clang's libFuzzer, which has the main function; see BUILD.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/rewrite_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  ckpt::FuzzRewrite({reinterpret_cast<const std::byte*>(data), size_bytes});
  return 0;
}
