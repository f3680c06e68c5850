// The images of a dump as the rules of a check see them: each is read once, when a rule first asks,
// and what is damaged in one does not hide the others.
#ifndef FORMATS_CHECK_CHECKED_DUMP_H_
#define FORMATS_CHECK_CHECKED_DUMP_H_

#include <google/protobuf/arena.h>
#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/check/check_source.h"
#include "formats/image_type.h"

namespace ckpt {

namespace pb {
class pagemap_entry;
}

// An entry of a pagemap, in a form of which a million take little room.
struct CheckedPages {
  uint64_t start;
  uint64_t page_count;
  uint32_t flags;  // kPagesPresent and the like, also of images older than the flags
};

struct CheckedImage {
  ImageName name;
  std::string file_name;
};

// What was read of an image. Of a damaged one nothing but the damage.
struct LoadedImage {
  const CheckedImage* image = nullptr;
  bool is_whole = false;
  std::string damage;  // of an image that is not whole: the reason, with image, entry and offset
  HeaderVersion header = HeaderVersion::kCurrent;
  std::vector<const google::protobuf::Message*> messages;  // one for each entry but pagemap_entry
  std::vector<CheckedPages> pages;                         // of pagemaps; entry i is pages[i - 1]
  // Those entries of pagemaps that have fields nobody knows, by index.
  std::vector<std::pair<size_t, const google::protobuf::Message*>> odd_pages;
};

template <typename M>
struct EntryRef {
  const CheckedImage* image = nullptr;
  size_t index = 0;
  const M* message = nullptr;
};

class CheckedDump {
 public:
  // `source` must outlive this object. `parent` is the older dump that this one builds on; null
  // where there is none. `parent_problem`: why it could not be opened though there is one.
  explicit CheckedDump(const CheckSource& source, const CheckedDump* parent = nullptr,
                       std::string parent_problem = "");

  const CheckSource& source() const { return source_; }
  const CheckedDump* parent() const { return parent_; }
  const std::string& parent_problem() const { return parent_problem_; }

  // By type, then id. Nothing for a type without images.
  const std::vector<CheckedImage>& ImagesOf(ImageType type) const;
  const CheckedImage* Find(ImageType type, uint64_t id = 0) const;
  bool Has(ImageType type, uint64_t id = 0) const { return Find(type, id) != nullptr; }
  // Files that are not named as images are.
  const std::vector<std::string>& other_files() const { return other_files_; }
  // Whether a rule asked for that image.
  bool IsLoaded(const CheckedImage& image) const { return loaded_.contains(&image); }

  // Of an image with entries.
  const LoadedImage& Load(const CheckedImage& image) const;

  // Whether every image of the type could be read to its end: else an id that is not found may have
  // been in the damaged part.
  bool AreWhole(ImageType type) const;

  // Calls visit(EntryRef<M>) for every entry of type M in all images of the type; of any type where
  // M is google::protobuf::Message. An entry of a pagemap is none.
  template <typename M, typename Visit>
  void ForEach(ImageType type, Visit visit) const {
    for (const CheckedImage& image : ImagesOf(type)) ForEachIn<M>(image, visit);
  }

  template <typename M, typename Visit>
  void ForEachIn(const CheckedImage& image, Visit visit) const {
    const LoadedImage& loaded = Load(image);
    for (size_t i = 0; i < loaded.messages.size(); ++i) {
      if constexpr (!std::is_same_v<M, google::protobuf::Message>) {
        if (loaded.messages[i]->GetDescriptor() != M::descriptor()) continue;
      }
      visit(EntryRef<M>{&image, i, static_cast<const M*>(loaded.messages[i])});
    }
  }

  // The first entry of an image; null where there is no such image or it has none.
  template <typename M>
  const M* FindFirst(ImageType type, uint64_t id = 0) const {
    const CheckedImage* image = Find(type, id);
    if (image == nullptr) return nullptr;
    const LoadedImage& loaded = Load(*image);
    if (loaded.messages.empty() || loaded.messages[0]->GetDescriptor() != M::descriptor()) {
      return nullptr;
    }
    return static_cast<const M*>(loaded.messages[0]);
  }

  // The first failure of reading that is not the fault of the image's bytes: what it says, the
  // check cannot tell anything about.
  const std::optional<Error>& failure() const { return failure_; }

  // The pages image of a pagemap, plain or compressed; nothing where there is none.
  struct Pages {
    std::string file_name;
    std::optional<uint64_t> size_bytes;  // of the pages, where that can be told
    std::string damage;                  // why it cannot, where the image is to blame
  };
  std::optional<Pages> FindPages(uint64_t pages_id) const;

  // The size of a file; nothing also after a failure.
  std::optional<uint64_t> FileSize(const std::string& file_name) const;

 private:
  Result<> LoadInto(const CheckedImage& image, LoadedImage& loaded) const;
  void Keep(size_t index, const pb::pagemap_entry& pages, LoadedImage& loaded) const;
  void NoteFailure(Error error) const;

  const CheckSource& source_;
  const CheckedDump* parent_;
  std::string parent_problem_;
  std::map<ImageType, std::vector<CheckedImage>> images_;
  std::vector<std::string> other_files_;
  mutable std::unique_ptr<google::protobuf::Arena> arena_;
  mutable std::map<const CheckedImage*, LoadedImage> loaded_;
  mutable std::optional<Error> failure_;
};

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECKED_DUMP_H_
