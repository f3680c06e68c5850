// Room in an address space: ranges of addresses that nothing occupies.
#ifndef RESTORER_ADDRESS_HOLE_H_
#define RESTORER_ADDRESS_HOLE_H_

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "process/remote_ptr.h"

namespace ckpt {

// `size_bytes` (whole pages) in the middle of the widest gap between `occupied` ranges, in any
// order: far from a heap or a stack that will grow. kUnsupported: no gap is that wide.
Result<RemoteRange> FindHole(std::vector<RemoteRange> occupied, uint64_t size_bytes);

// The parts of `ranges` that no range of `kept` covers, by address.
std::vector<RemoteRange> Subtract(std::vector<RemoteRange> ranges, std::vector<RemoteRange> kept);

}  // namespace ckpt

#endif  // RESTORER_ADDRESS_HOLE_H_
