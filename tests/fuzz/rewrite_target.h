// What a fuzzer calls with any bytes: a dump and what is to be done to it.
#ifndef TESTS_FUZZ_REWRITE_TARGET_H_
#define TESTS_FUZZ_REWRITE_TARGET_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_reader.h"

namespace ckpt {

// A file of the dump: name and bytes.
using FuzzFiles = std::vector<std::pair<std::string, std::string>>;

// Files and a text, packed for the fuzzer: of each file the number of its type in the table of
// image types, the number in its name, two bytes of length, its bytes; then 255 and the text.
std::string PackFuzzInput(const FuzzFiles& files, const std::string& text);

// Unpacks any bytes; takes the text as a branch map, and its lines as options of rewrite; plans
// both on the dump. A plan that is not refused is carried out in memory, and what comes of it must
// be read again as it is. Aborts where it cannot be. Returns how many plans were carried out.
int FuzzRewrite(Bytes input);

}  // namespace ckpt

#endif  // TESTS_FUZZ_REWRITE_TARGET_H_
