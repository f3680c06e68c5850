// Linked into fuzzers in place of InvariantFailed() (base/result.h), by the linker's --wrap: a
// process that ends by _Exit() leaves a fuzzer without the input.
#include <cstdio>
#include <cstdlib>

extern "C" [[noreturn]] void __wrap__ZN4ckpt15InvariantFailedEPKcS1_i(const char* condition,
                                                                      const char* file, int line) {
  std::fprintf(stderr, "%s does not hold at %s:%d\n", condition, file, line);
  std::abort();
}
