// Rules about mounts and the names that lead through them.
#ifndef FORMATS_CHECK_MOUNT_RULES_H_
#define FORMATS_CHECK_MOUNT_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> MountRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_MOUNT_RULES_H_
