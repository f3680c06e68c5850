// Rules about pages: pagemaps, pages images, parents.
#ifndef FORMATS_CHECK_PAGE_RULES_H_
#define FORMATS_CHECK_PAGE_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> PageRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_PAGE_RULES_H_
