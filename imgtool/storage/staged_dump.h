// A changed dump directory while it is built: all that stays is placed there at once, then files
// too big for memory are filled in.
#ifndef IMGTOOL_STORAGE_STAGED_DUMP_H_
#define IMGTOOL_STORAGE_STAGED_DUMP_H_

#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/result.h"
#include "imgtool/dump_changes.h"
#include "imgtool/dump_transaction.h"

namespace ckpt {

class StagedDump {
 public:
  // Of the dump directory `dump`, to be a new one at `out` (kUsage where something is there, or
  // inside of the dump), or in place of the dump, whose lock the caller has. `changes` as for
  // StageDirectory(); contents that come later are empty.
  static Result<StagedDump> Begin(const std::string& dump, const std::optional<std::string>& out,
                                  DumpChanges changes);

  // An empty file of the staged dump, by its new name, to be written.
  Result<UniqueFd> OpenFile(const std::string& name) const;
  std::string PathOf(const std::string& name) const;
  // Syncs it, and gives it the times of the file `source` of the dump; "": of none.
  Result<> FinishFile(const UniqueFd& file, const std::string& name,
                      const std::string& source) const;

  // Unless CheckStaged() refuses it. With the dump in its place the old one is kept for
  // `imgtool undo`.
  Result<> Commit();

 private:
  StagedDump(std::string dump, bool replaces, DumpChanges changes, DumpTransaction transaction)
      : dump_(std::move(dump)),
        replaces_(replaces),
        changes_(std::move(changes)),
        transaction_(std::move(transaction)) {}

  std::string dump_;
  bool replaces_;
  DumpChanges changes_;
  DumpTransaction transaction_;
};

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_STAGED_DUMP_H_
