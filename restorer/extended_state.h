// The floating point and extended registers of a thread as ptrace(2) takes them.
#ifndef RESTORER_EXTENDED_STATE_H_
#define RESTORER_EXTENDED_STATE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "formats/proto/arch_x86.pb.h"
#include "process/xsave_layout.h"

namespace ckpt {

// What a processor can hold; of this one where nothing else is said.
struct ExtendedStateHost {
  uint64_t components = EnabledXComponents();
  std::function<XComponentPlace(XComponent)> place_of = PlaceOf;
};

// The XSAVE area, in its standard form, that holds `entry`. `area` is one that the kernel gave for
// a thread of this machine: its size and the bytes that the kernel reserves are kept. Components
// that the image has in their initial state need not exist here; kUnsupported names one that does
// not and is in use, kBadFormat one whose length is not the processor's.
Result<std::vector<std::byte>> BuildExtendedState(const pb::user_x86_fpregs_entry& entry,
                                                  std::vector<std::byte> area,
                                                  const ExtendedStateHost& host);

}  // namespace ckpt

#endif  // RESTORER_EXTENDED_STATE_H_
