// A dump as its rewriting would leave it, to be checked before it is there.
#ifndef IMGTOOL_CHECK_CHANGED_SOURCE_H_
#define IMGTOOL_CHECK_CHANGED_SOURCE_H_

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/check/check_source.h"
#include "imgtool/dump_changes.h"
#include "imgtool/image_source.h"

namespace ckpt {

class ChangedSource : public CheckSource {
 public:
  // Both must outlive this object. Without changes it is the dump as it is.
  explicit ChangedSource(const ImageSource& images, const DumpChanges* changes = nullptr);

  const std::vector<std::string>& file_names() const override { return file_names_; }
  Result<ImageFile> Read(const std::string& file_name) const override;
  Result<std::string> ReadStart(const std::string& file_name, size_t limit_bytes) const override;
  Result<std::optional<uint64_t>> FileSize(const std::string& file_name) const override;

 private:
  // Null where the content is the old one.
  const FileContent* FindContent(const std::string& file_name) const;
  const std::string& OldName(const std::string& file_name) const;

  const ImageSource& images_;
  const DumpChanges* changes_;
  std::map<std::string, std::string> old_names_;  // of files with a new one
  std::vector<std::string> file_names_;
};

}  // namespace ckpt

#endif  // IMGTOOL_CHECK_CHANGED_SOURCE_H_
