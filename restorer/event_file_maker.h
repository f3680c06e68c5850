// Makes files that tell of events again: eventfd, signalfd, timerfd, epoll.
#ifndef RESTORER_EVENT_FILE_MAKER_H_
#define RESTORER_EVENT_FILE_MAKER_H_

#include "base/file.h"
#include "base/result.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// A description with the flags and state of `file`, which is of one of these kinds. A timerfd is
// not armed yet, an epoll watches nothing yet. Errors begin with file.place.
Result<UniqueFd> MakeEventFile(const FilePlan& file);

// Sets the time that is left on the timerfd `fd`, counted from now, and its unread expirations.
Result<> ArmTimerFile(int fd, const FilePlan& file);

}  // namespace ckpt

#endif  // RESTORER_EVENT_FILE_MAKER_H_
