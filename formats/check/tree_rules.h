// Rules about the process tree and about what each task and thread is: pstree, core.
#ifndef FORMATS_CHECK_TREE_RULES_H_
#define FORMATS_CHECK_TREE_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> TreeRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_TREE_RULES_H_
