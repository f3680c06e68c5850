// Files of a frozen process that tell of events: eventfd, signalfd, timerfd, epoll.
#ifndef DUMPER_EVENT_FILES_H_
#define DUMPER_EVENT_FILES_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/open_description.h"
#include "dumper/refusals.h"

namespace ckpt {

bool IsEventfd(const LinkedFile& file);
bool IsSignalfd(const LinkedFile& file);
bool IsTimerfd(const LinkedFile& file);
bool IsEpoll(const LinkedFile& file);

// Why the eventfd cannot be dumped, or nothing: the format has no place for EFD_SEMAPHORE, which
// the kernel tells since 6.5.
std::optional<std::string> ReasonToRefuseEventfd(const OpenDescription& opened);

// Each adds the entry of a description to `files` and returns its id.
Result<uint32_t> AddEventfd(const OpenDescription& opened, FileTable& files);
Result<uint32_t> AddSignalfd(const OpenDescription& opened, FileTable& files);
Result<uint32_t> AddTimerfd(const OpenDescription& opened, FileTable& files);
Result<uint32_t> AddEpoll(const OpenDescription& opened, FileTable& files);

// An epoll watches files, and its entry names descriptors of `pid`, which is frozen: a watched file
// that the process does not have at the number at which it was added goes to `refusals`.
Result<> CheckEpollWatches(pid_t pid, const std::vector<const OpenDescription*>& epolls,
                           Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_EVENT_FILES_H_
