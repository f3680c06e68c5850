// For tests: damages that the rules of mount_rules.h name.
#ifndef FORMATS_CHECK_MOUNT_DAMAGES_H_
#define FORMATS_CHECK_MOUNT_DAMAGES_H_

#include <vector>

#include "formats/check/check_damage.h"

namespace ckpt {

std::vector<CheckDamage> MountDamages();

}  // namespace ckpt

#endif  // FORMATS_CHECK_MOUNT_DAMAGES_H_
