// Rules about mappings: mm, and the memory that several tasks share.
#ifndef FORMATS_CHECK_MEMORY_RULES_H_
#define FORMATS_CHECK_MEMORY_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> MemoryRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_MEMORY_RULES_H_
