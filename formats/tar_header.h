// One header block of a tar archive.
#ifndef FORMATS_TAR_HEADER_H_
#define FORMATS_TAR_HEADER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// A field of the block: ustar(5).
struct TarField {
  size_t offset;
  size_t size;
};
inline constexpr TarField kTarName{0, 100};
inline constexpr TarField kTarMode{100, 8};
inline constexpr TarField kTarSize{124, 12};
inline constexpr TarField kTarChecksum{148, 8};
inline constexpr TarField kTarTypeFlag{156, 1};
inline constexpr TarField kTarLink{157, 100};
inline constexpr TarField kTarMagic{257, 6};
inline constexpr TarField kTarPrefix{345, 155};

// Up to the first zero.
std::string TarText(std::string_view block, TarField field);
// Filled up with zeros; the text fits.
void SetTarText(std::string& block, TarField field, std::string_view text);

// Octal digits, or, where the first bit is set, the binary number of GNU tar. kBadFormat.
Result<uint64_t> TarNumber(std::string_view block, TarField field);
// In octal, or as GNU tar has it where that does not fit.
void SetTarNumber(std::string& block, TarField field, uint64_t number);

// The sum of all bytes, those of the sum itself taken as spaces. Old archives have it of signed
// bytes.
bool TarChecksumHolds(std::string_view block);
void SetTarChecksum(std::string& block);

}  // namespace ckpt

#endif  // FORMATS_TAR_HEADER_H_
