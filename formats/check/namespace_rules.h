// Rules about namespaces, cgroups and System V objects.
#ifndef FORMATS_CHECK_NAMESPACE_RULES_H_
#define FORMATS_CHECK_NAMESPACE_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> NamespaceRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_NAMESPACE_RULES_H_
