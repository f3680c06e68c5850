// The programs that dump and restore: ours, and the peer.
#ifndef TESTS_HARNESS_ENGINE_H_
#define TESTS_HARNESS_ENGINE_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tests/harness/command.h"
#include "tests/harness/terminal.h"

namespace ckpt {

enum class Engine { kOurs, kCriu };

std::string_view Name(Engine engine);

// An error that says why, where the engine cannot be had on this machine.
Result<> CheckAvailable(Engine engine);

// What is left of the process after the dump.
enum class ProcessAfter { kGone, kRunning, kStopped };

// Dumps `pid` into `directory`, which must exist. The error has the end of the log in it. `more`
// are further arguments.
Result<> Dump(Engine engine, pid_t pid, const std::string& directory,
              ProcessAfter after = ProcessAfter::kGone, const std::vector<std::string>& more = {});

// Restores the dump, detached, and returns the pid of its process. With a terminal the engine runs
// in its session, and its messages go there.
Result<pid_t> Restore(Engine engine, const std::string& directory,
                      const std::vector<std::string>& more = {}, Terminal* terminal = nullptr);

}  // namespace ckpt

#endif  // TESTS_HARNESS_ENGINE_H_
