// Rules about descriptors and open files: fdinfo, files, and what files refer to.
#ifndef FORMATS_CHECK_DESCRIPTOR_RULES_H_
#define FORMATS_CHECK_DESCRIPTOR_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> DescriptorRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_DESCRIPTOR_RULES_H_
