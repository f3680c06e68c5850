#include "imgtool/commit_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "base/file.h"

namespace ckpt {

namespace {

constexpr char kFirstWord[] = "imgtool-commit-1";
constexpr size_t kMaxJournalBytes = 4096;

Result<> WriteAndSync(int fd, const std::string& text, const std::string& path) {
  CKPT_TRY(WriteAll(fd, AsBytes(text), path));
  if (fsync(fd) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fsync(\"{}\")", path);
  }
  return success();
}

}  // namespace

Result<FileIdentity> IdentityOf(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "lstat(\"{}\")", path);
  }
  return FileIdentity{status.st_dev, status.st_ino};
}

Result<> WriteCommitJournal(const std::string& path, const CommitJournal& journal) {
  const std::string text =
      fmt::format("{} old {} {} new {} {} end\n", kFirstWord, journal.old_state.device,
                  journal.old_state.inode, journal.new_state.device, journal.new_state.inode);
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  auto written = WriteAndSync(fd.get(), text, path);
  if (written.has_error()) unlink(path.c_str());
  return written;
}

Result<std::optional<CommitJournal>> ReadCommitJournal(const std::string& path) {
  const auto text = ReadWholeFile(path, kMaxJournalBytes);
  if (text.has_error() && text.error().code == ErrorCode::kNotFound) {
    return std::optional<CommitJournal>();
  }
  if (text.has_error()) return text.error();
  if (!text.value().ends_with(" end\n")) return std::optional<CommitJournal>();
  std::istringstream words(text.value());
  std::string first;
  std::string old_word;
  std::string new_word;
  CommitJournal journal;
  words >> first >> old_word >> journal.old_state.device >> journal.old_state.inode >> new_word >>
      journal.new_state.device >> journal.new_state.inode;
  if (!words || first != kFirstWord || old_word != "old" || new_word != "new") {
    return MakeError(ErrorCode::kBadFormat, "{}: not the journal of a commit", path);
  }
  return std::optional<CommitJournal>(journal);
}

}  // namespace ckpt
