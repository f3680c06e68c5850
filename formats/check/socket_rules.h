// Rules about sockets and what is queued in them.
#ifndef FORMATS_CHECK_SOCKET_RULES_H_
#define FORMATS_CHECK_SOCKET_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> SocketRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_SOCKET_RULES_H_
