// The escapes of /proc text: the kernel writes a byte that would break the text (space, newline,
// backslash, ...) as a backslash and three octal digits (fs/seq_file.c, mangle_path).
#ifndef PROCESS_ESCAPES_H_
#define PROCESS_ESCAPES_H_

#include <string>
#include <string_view>

namespace ckpt {

// Replaces each backslash with three octal digits of at most 377 by the byte that it stands for; a
// backslash that is followed by anything else stays. Works on bytes: names need not be UTF-8.
std::string UnescapeOctal(std::string_view text);

// Only \012. /proc/PID/maps escapes the newline and nothing else, the backslash neither (since it
// is not in its list of escaped bytes): a file name that really holds `\012` reads as a newline.
std::string UnescapeNewlines(std::string_view text);

}  // namespace ckpt

#endif  // PROCESS_ESCAPES_H_
