// For tests: damages that the rules of memory_rules.h name.
#ifndef FORMATS_CHECK_MEMORY_DAMAGES_H_
#define FORMATS_CHECK_MEMORY_DAMAGES_H_

#include <vector>

#include "formats/check/check_damage.h"

namespace ckpt {

std::vector<CheckDamage> MemoryDamages();

}  // namespace ckpt

#endif  // FORMATS_CHECK_MEMORY_DAMAGES_H_
