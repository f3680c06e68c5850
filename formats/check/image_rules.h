// Rules about which images there are, and whether each can be read by itself.
#ifndef FORMATS_CHECK_IMAGE_RULES_H_
#define FORMATS_CHECK_IMAGE_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> ImageRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_IMAGE_RULES_H_
