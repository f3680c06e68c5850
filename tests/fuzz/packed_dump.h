// The files of a dump in one input of a fuzzer.
#ifndef TESTS_FUZZ_PACKED_DUMP_H_
#define TESTS_FUZZ_PACKED_DUMP_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ckpt {

// A file of the dump: name and bytes.
using FuzzFiles = std::vector<std::pair<std::string, std::string>>;

struct UnpackedDump {
  std::map<std::string, std::string> files;
  std::string text;
};

// Files, which are images of up to 64 KiB with ids up to 255, and a text: of each file the number
// of its type in the table of image types, the number in its name, two bytes of length, its bytes;
// then 255 and the text.
std::string PackFuzzInput(const FuzzFiles& files, const std::string& text);

// The reverse, of any bytes.
UnpackedDump UnpackFuzzInput(std::string_view bytes);

}  // namespace ckpt

#endif  // TESTS_FUZZ_PACKED_DUMP_H_
