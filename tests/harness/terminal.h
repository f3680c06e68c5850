// A pseudo terminal, and processes in the session that it controls.
#ifndef TESTS_HARNESS_TERMINAL_H_
#define TESTS_HARNESS_TERMINAL_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

// Whether a process leads the session, or another one does: a shell, say.
enum class SessionRole { kLeader, kMember };

// A session ends with its terminal, which SIGHUP tells its members.
class Terminal {
 public:
  static Result<Terminal> Open();

  Terminal(Terminal&& other) noexcept
      : master_(std::move(other.master_)),
        slave_(std::move(other.slave_)),
        path_(std::move(other.path_)),
        shell_(std::exchange(other.shell_, 0)) {}
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  // A child of the caller in new namespaces, CLONE_NEW*, with the terminal as descriptors 0 to 2.
  // Returns 0 in the child. To be called once, for a terminal controls one session.
  Result<pid_t> Fork(SessionRole role, unsigned namespaces);

  // Reads what is written to the terminal until `word` was; false where it ends before.
  bool Await(const std::string& word) const;

  // Of the slave, as the caller sees it.
  const std::string& path() const { return path_; }

 private:
  Terminal() = default;

  void LeadSession() const;
  Result<pid_t> ForkMember(unsigned namespaces);

  UniqueFd master_;
  UniqueFd slave_;
  std::string path_;
  pid_t shell_ = 0;  // the leader of the session; 0 where there is none but the child
};

}  // namespace ckpt

#endif  // TESTS_HARNESS_TERMINAL_H_
