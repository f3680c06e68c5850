#include "process/xsave_layout.h"

#include <cpuid.h>

namespace ckpt {

namespace {

constexpr unsigned kExtendedStateLeaf = 0xd;

struct CpuidResult {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
};

CpuidResult ExtendedState(unsigned subleaf) {
  CpuidResult result;
  __get_cpuid_count(kExtendedStateLeaf, subleaf, &result.eax, &result.ebx, &result.ecx,
                    &result.edx);
  return result;
}

}  // namespace

XComponentPlace PlaceOf(XComponent component) {
  if ((EnabledXComponents() & BitOf(component)) == 0) return {};
  const CpuidResult place = ExtendedState(static_cast<unsigned>(component));
  return {.offset = place.ebx, .size_bytes = place.eax};
}

uint64_t EnabledXComponents() {
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

size_t XsaveAreaBytes() { return ExtendedState(0).ebx; }

}  // namespace ckpt
