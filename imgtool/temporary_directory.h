// A private directory for what is unpacked, which is gone when it is no more needed.
#ifndef IMGTOOL_TEMPORARY_DIRECTORY_H_
#define IMGTOOL_TEMPORARY_DIRECTORY_H_

#include <memory>
#include <string>
#include <utility>

#include "base/result.h"

namespace ckpt {

class TemporaryDirectory {
 public:
  // An empty directory of mode 0700 under $TMPDIR, or /var/tmp. In messages its path, and all below
  // it, is written as `shown_as`: see ShownText().
  static Result<TemporaryDirectory> Create(const std::string& shown_as);

  TemporaryDirectory(TemporaryDirectory&&) = default;
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept {
    path_.swap(other.path_);
    return *this;
  }
  ~TemporaryDirectory();  // removes it with all that is in it

  const std::string& path() const { return *path_; }
  // Has a file in it written as something else.
  void ShowFileAs(const std::string& file_name, const std::string& shown_as);

 private:
  explicit TemporaryDirectory(std::string path)
      : path_(std::make_unique<std::string>(std::move(path))) {}

  std::unique_ptr<std::string> path_;  // null once moved from
};

// The text with the paths of all temporary directories written as what they stand for.
std::string ShownText(std::string text);

// From now on SIGHUP, SIGINT and SIGTERM remove all temporary directories before they end the
// process. For the main function.
void RemoveTemporaryDirectoriesOnSignals();

}  // namespace ckpt

#endif  // IMGTOOL_TEMPORARY_DIRECTORY_H_
