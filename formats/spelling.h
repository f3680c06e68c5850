// How crit spells values in JSON: the tables of names and the text forms. Pure; the facts are those
// of the format's field options and of what crit 3.17.1 prints, with the names that newer kernels
// and newer CRIU added.
#ifndef FORMATS_SPELLING_H_
#define FORMATS_SPELLING_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_reader.h"

namespace ckpt {

struct NamedValue {
  std::string_view name;
  uint64_t value = 0;
};
using NameTable = std::span<const NamedValue>;

// The table of a `flags` option, "mmap.prot" for example; values are single bits, ascending.
std::optional<NameTable> FindFlagNames(std::string_view table);

// The table of a `dict` option ("sk") for the field that carries it ("family").
std::optional<NameTable> FindDictionary(std::string_view dictionary, std::string_view field);

std::optional<std::string_view> FindName(NameTable names, uint64_t value);

// "0x1f"; a negative number as "-0x1".
std::string SpellHex(int64_t value);
std::string SpellHex(uint64_t value);

// Names joined with " | ", the bits that have none last and as hex; empty for 0.
std::string SpellFlags(NameTable names, uint64_t value);

// "major:minor" of the kernel's own encoding (major << 20 | minor), and of makedev(3)'s.
std::string SpellKernelDevice(uint64_t device);
std::string SpellUserDevice(uint64_t device);

// One word is an IPv4 address, four are an IPv6 address (longest run of zeros as "::"), both in
// network byte order as the format stores them. Nothing for any other count.
std::optional<std::string> SpellIpAddress(std::span<const uint32_t> words);

// The bytes of a unix socket's name as quoted-printable text, lines of at most 76 characters. The
// result is ASCII. As in crit, a CR LF becomes the line end of the first line.
std::string SpellUnixName(Bytes name);

}  // namespace ckpt

#endif  // FORMATS_SPELLING_H_
