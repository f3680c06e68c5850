// The images of a dump for verbs that look at it: a damaged image is reported once and taken for a
// missing one, so that one bad image does not hide all others.
#ifndef IMGTOOL_EXPLORE_DUMP_READER_H_
#define IMGTOOL_EXPLORE_DUMP_READER_H_

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/dump_directory.h"
#include "formats/image_file.h"
#include "imgtool/failures.h"

namespace ckpt {

class DumpReader {
 public:
  // `name` stands for the path of the dump in messages. Both references must outlive this object.
  DumpReader(const DumpDirectory& dump, std::string name, Failures& failures)
      : dump_(dump), name_(std::move(name)), failures_(failures) {}

  const DumpDirectory& dump() const { return dump_; }
  bool Has(ImageType type, uint64_t id = 0) const { return dump_.Has(type, id); }

  // Nothing where there is none, or a damaged one.
  std::optional<ImageFile> Image(ImageType type, uint64_t id = 0);

  template <typename M>
  std::vector<M> Entries(ImageType type, uint64_t id = 0) {
    return Kept(dump_.ReadAllIfPresent<M>(type, id), type, id).value_or(std::vector<M>());
  }

  template <typename M>
  std::optional<M> Single(ImageType type, uint64_t id = 0) {
    if (!Has(type, id)) return std::nullopt;
    return Kept(dump_.ReadSingle<M>(type, id), type, id);
  }

  // The value; of an error nothing, and a message the first time for each image.
  template <typename T>
  std::optional<T> Kept(Result<T> result, ImageType type, uint64_t id = 0) {
    if (result) return std::move(result).value();
    Report(result.error(), ImageFileName(type, id));
    return std::nullopt;
  }

  void Report(const Error& error) { Report(error, ""); }

 private:
  void Report(Error error, const std::string& image);

  const DumpDirectory& dump_;
  std::string name_;
  Failures& failures_;
  std::set<std::string> reported_;
};

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_DUMP_READER_H_
