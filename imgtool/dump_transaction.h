// Replaces a dump, a directory or an archive alike, in one step that survives being killed: at any
// moment the dump is the old one or the new one, and who comes next finds out which and tidies up.
//
// Beside a dump NAME there may be:
//   .NAME.imgtool-new      what is being built; between two steps of a commit, the old state
//   .NAME.imgtool-journal  that a commit was begun, and of what by device and inode
//   .NAME.imgtool-undo     the state before the last commit
//   .NAME.imgtool-old      what is being removed
#ifndef IMGTOOL_DUMP_TRANSACTION_H_
#define IMGTOOL_DUMP_TRANSACTION_H_

#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/result.h"
#include "imgtool/dump_lock.h"

namespace ckpt {

struct DumpPlaces {
  // Of a dump at a path without links and without a slash at the end.
  explicit DumpPlaces(const std::string& path);

  std::string dump;
  std::string parent;
  std::string staging;
  std::string journal;
  std::string undo;
  std::string old;
};

// `path` without links; what the path names must be there.
Result<std::string> RealPath(const std::string& path);
// Likewise, the last component not being there yet.
Result<std::string> RealPathOfNew(const std::string& path);

// Finishes or rolls back what a process that was killed left at `path`, which need not be there
// itself, and says which in one sentence. Nothing where nothing was left, or where another process
// is at work on it.
Result<std::optional<std::string>> RecoverDump(const std::string& path);

class DumpTransaction {
 public:
  // A place to build in: an empty directory or file of mode 0700 or 0600. `path` is real; who
  // replaces what is there holds its lock and recovered it. kUnsupported where another process is
  // building the same.
  static Result<DumpTransaction> BeginDirectory(const std::string& path);
  static Result<DumpTransaction> BeginFile(const std::string& path);

  DumpTransaction(DumpTransaction&& other) noexcept
      : places_(std::move(other.places_)),
        lock_(std::move(other.lock_)),
        is_open_(std::exchange(other.is_open_, false)) {}
  DumpTransaction& operator=(DumpTransaction&&) = delete;
  // Removes what was not committed.
  ~DumpTransaction();

  const std::string& staging_path() const { return places_.staging; }

  // Renames what was built and synced to the path, where nothing may be (kUsage).
  Result<> CommitNew();

  // Exchanges what was built and synced with what is at the path in one rename (renameat2,
  // RENAME_EXCHANGE), and keeps the old state for UndoDump in the place of an older one. After an
  // error the dump is the old one, unless the message says that it is changed; the journal then
  // stays for RecoverDump. kUnsupported where the file system cannot exchange, or the path is a
  // mountpoint.
  Result<> CommitReplace();

 private:
  DumpTransaction(DumpPlaces places, DumpLock lock)
      : places_(std::move(places)), lock_(std::move(lock)) {}

  DumpPlaces places_;
  DumpLock lock_;
  bool is_open_ = true;
};

// Exchanges the dump with the state before the last commit; twice is as never. kNotFound without
// such a state.
Result<> UndoDump(const std::string& path);
// Removes that state; false where there is none.
Result<bool> ForgetUndo(const std::string& path);

}  // namespace ckpt

#endif  // IMGTOOL_DUMP_TRANSACTION_H_
