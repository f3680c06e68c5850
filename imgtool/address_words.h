// IP addresses as fields of images hold them: words with the bytes of the address in the order of
// memory, one of IPv4 and four of IPv6.
#ifndef IMGTOOL_ADDRESS_WORDS_H_
#define IMGTOOL_ADDRESS_WORDS_H_

#include <cstdint>
#include <cstring>
#include <string>

#include "imgtool/edit_plan.h"

namespace ckpt {

// The bytes in network order: 4 or 16, or another number where the field is no address.
template <typename Words>
std::string AddressOfWords(const Words& words) {
  std::string bytes;
  for (const auto number : words) {
    const auto word = static_cast<uint32_t>(number);
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return bytes;
}

inline FieldNumbers WordsOfAddress(const std::string& address) {
  FieldNumbers words;
  for (size_t at = 0; at + sizeof(uint32_t) <= address.size(); at += sizeof(uint32_t)) {
    uint32_t word = 0;
    std::memcpy(&word, address.data() + at, sizeof word);
    words.push_back(word);
  }
  return words;
}

}  // namespace ckpt

#endif  // IMGTOOL_ADDRESS_WORDS_H_
