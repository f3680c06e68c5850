// What a commit notes before its first rename, so that who comes after a kill knows how far it got.
#ifndef IMGTOOL_COMMIT_JOURNAL_H_
#define IMGTOOL_COMMIT_JOURNAL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace ckpt {

struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Without following a link.
Result<FileIdentity> IdentityOf(const std::string& path);

struct CommitJournal {
  FileIdentity old_state;
  FileIdentity new_state;
};

// As the new file `path`, synced; its directory is not. After an error there is none.
Result<> WriteCommitJournal(const std::string& path, const CommitJournal& journal);

// Nothing where there is none, or one that was not written to its end: no rename followed it.
// kBadFormat: whole, and not one of ours.
Result<std::optional<CommitJournal>> ReadCommitJournal(const std::string& path);

}  // namespace ckpt

#endif  // IMGTOOL_COMMIT_JOURNAL_H_
