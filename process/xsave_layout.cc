#include "process/xsave_layout.h"

#include <cpuid.h>

#include <array>

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

constexpr size_t kComponents = static_cast<size_t>(XComponent::kPkru) + 1;

std::array<XComponentPlace, kComponents> AskForPlaces() {
  std::array<XComponentPlace, kComponents> places{};
  for (unsigned number = 2; number < kComponents; ++number) {
    if ((EnabledXComponents() & uint64_t{1} << number) == 0) continue;
    const CpuidResult place = ExtendedState(number);
    places.at(number) = {.offset = place.ebx, .size_bytes = place.eax};
  }
  return places;
}

}  // namespace

// On a virtual machine CPUID is an exit to the hypervisor, some 10 us: asked once.
XComponentPlace PlaceOf(XComponent component) {
  static const std::array<XComponentPlace, kComponents> places = AskForPlaces();
  return places.at(static_cast<size_t>(component));
}

uint64_t EnabledXComponents() {
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

size_t XsaveAreaBytes() { return ExtendedState(0).ebx; }

}  // namespace ckpt
