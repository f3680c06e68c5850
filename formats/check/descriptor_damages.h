// For tests: damages that the rules of descriptor_rules.h name.
#ifndef FORMATS_CHECK_DESCRIPTOR_DAMAGES_H_
#define FORMATS_CHECK_DESCRIPTOR_DAMAGES_H_

#include <vector>

#include "formats/check/check_damage.h"

namespace ckpt {

std::vector<CheckDamage> DescriptorDamages();

}  // namespace ckpt

#endif  // FORMATS_CHECK_DESCRIPTOR_DAMAGES_H_
