// What a fuzzer calls with any bytes: a dump and what is to be done to it.
#ifndef TESTS_FUZZ_REWRITE_TARGET_H_
#define TESTS_FUZZ_REWRITE_TARGET_H_

#include "base/byte_reader.h"

namespace ckpt {

// Unpacks any bytes (see packed_dump.h); takes the text as a branch map, and its lines as options
// of rewrite; plans both on the dump. A plan that is not refused is carried out in memory; what
// comes of it must be read again as it is, and a check of it must find no error that the dump did
// not have. Aborts where that is not so. Returns how many plans were carried out.
int FuzzRewrite(Bytes input);

}  // namespace ckpt

#endif  // TESTS_FUZZ_REWRITE_TARGET_H_
