// The build id of an ELF file: the note NT_GNU_BUILD_ID, by which restorers tell two builds of a
// program of the same size apart.
#ifndef IMGTOOL_BUILD_ID_H_
#define IMGTOOL_BUILD_ID_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

// Of the bytes of a little-endian ELF file of either class, of which the beginning is enough where
// the notes lie there. Nothing for other files and those without one.
// Limits: 64 program headers, notes of 64 KiB.
std::optional<std::string> FindBuildId(std::string_view bytes);

// Of a file, looking at its first MiB. Errors are those of reading it.
Result<std::optional<std::string>> ReadBuildId(const std::string& path);

// As an image has it: words of this machine's order, the last one padded with zeros.
std::vector<int64_t> BuildIdWords(std::string_view build_id);

}  // namespace ckpt

#endif  // IMGTOOL_BUILD_ID_H_
