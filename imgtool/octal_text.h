// Any bytes as printable ASCII and back: `\ooo`, three octal digits for one byte, as mountinfo and
// the sysfs files of AUFS write them. Used by the branch map format and by reports.
#ifndef IMGTOOL_OCTAL_TEXT_H_
#define IMGTOOL_OCTAL_TEXT_H_

#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// Escapes the backslash, every byte that is not printable ASCII, and those of `also`. A space stays
// unless `also` names it.
std::string EscapeOctal(std::string_view bytes, std::string_view also = "");

// Undoes EscapeOctal. A backslash without three octal digits of at most 377 behind it is
// kBadFormat.
Result<std::string> UnescapeOctal(std::string_view text);

}  // namespace ckpt

#endif  // IMGTOOL_OCTAL_TEXT_H_
