// For tests: the ways to damage a dump that rules of a check name, one or more for each rule.
#ifndef FORMATS_CHECK_CHECK_DAMAGES_H_
#define FORMATS_CHECK_CHECK_DAMAGES_H_

#include <vector>

#include "formats/check/check_damage.h"

namespace ckpt {

const std::vector<CheckDamage>& CheckDamages();

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECK_DAMAGES_H_
