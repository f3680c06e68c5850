// The open file descriptions of a dump, wherever they are: in files.img, or in the images that
// older dumps have for each kind of them.
#ifndef FORMATS_CHECK_CHECKED_FILES_H_
#define FORMATS_CHECK_CHECKED_FILES_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/check/checked_dump.h"
#include "formats/proto/files.pb.h"

namespace ckpt {

struct CheckedFile {
  const CheckedImage* image = nullptr;
  size_t index = 0;
  uint32_t id = 0;
  pb::fd_types type = pb::UND;
  // What is particular to its kind: reg_file_entry, pipe_entry, ... Null where it is missing.
  const google::protobuf::Message* body = nullptr;
  // "reg.", and nothing in the images of older dumps, whose entries are bodies.
  std::string_view prefix;
};

// Dumpers write the node of a network device, /dev/net/tun, under the id of the device itself.
bool IsTunPair(const CheckedFile& node, const CheckedFile& tun);

class CheckedFiles {
 public:
  explicit CheckedFiles(const CheckedDump& dump);

  const std::vector<CheckedFile>& all() const { return all_; }
  // The first one with that id; the device rather than its node, see IsTunPair().
  const CheckedFile* Find(uint32_t id) const;
  // Whether no file can have been missed.
  bool are_whole() const { return are_whole_; }

  // Calls visit(const CheckedFile&, const M&) for each body of type M.
  template <typename M, typename Visit>
  void ForEach(Visit visit) const {
    for (const CheckedFile& file : all_) {
      if (file.body == nullptr || file.body->GetDescriptor() != M::descriptor()) continue;
      visit(file, static_cast<const M&>(*file.body));
    }
  }

 private:
  void AddEntries(const CheckedDump& dump);
  void AddOldImages(const CheckedDump& dump);

  bool are_whole_ = true;
  std::vector<CheckedFile> all_;
  std::unordered_map<uint32_t, size_t> by_id_;
};

// "REG"; a number for a type that has no name.
std::string FileTypeName(int type);

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECKED_FILES_H_
