// Rules about files that watch, wait or count: epoll, inotify, fanotify, timerfd, ghosts.
#ifndef FORMATS_CHECK_EVENT_RULES_H_
#define FORMATS_CHECK_EVENT_RULES_H_

#include <span>

#include "formats/check/check_rule.h"

namespace ckpt {

std::span<const CheckRule> EventRules();

}  // namespace ckpt

#endif  // FORMATS_CHECK_EVENT_RULES_H_
