// For tests: a dump in memory, to be made, damaged and checked.
#ifndef FORMATS_CHECK_MEMORY_DUMP_H_
#define FORMATS_CHECK_MEMORY_DUMP_H_

#include <google/protobuf/message.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/check/check_source.h"
#include "formats/image_message.h"
#include "formats/image_writer.h"

namespace ckpt {

// Sets every required field that is not set, in all messages that are: to 0, "" or what an enum
// has first.
inline void FillRequired(google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  const auto* reflection = message.GetReflection();
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field->is_repeated()) {
      for (int j = 0; is_message && j < reflection->FieldSize(message, field); ++j) {
        FillRequired(*reflection->MutableRepeatedMessage(&message, field, j));
      }
      continue;
    }
    const bool is_set = reflection->HasField(message, field);
    if (is_message && (is_set || field->is_required())) {
      FillRequired(*reflection->MutableMessage(&message, field));
    }
    if (is_message || is_set || !field->is_required()) continue;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(&message, field, 0);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(&message, field, 0);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(&message, field, 0);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(&message, field, 0);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(&message, field, false);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(&message, field, field->enum_type()->value(0)->number());
        break;
      default:
        reflection->SetString(&message, field, "");
    }
  }
}

class MemoryDump : public CheckSource {
 public:
  const std::vector<std::string>& file_names() const override { return file_names_; }

  Result<ImageFile> Read(const std::string& file_name) const override {
    const auto image = FindImageTypeByFileName(file_name);
    CKPT_CHECK(image.has_value());
    return ImageFile::Parse(file_name, image->type, files_.at(file_name));
  }

  Result<std::string> ReadStart(const std::string& file_name, size_t limit_bytes) const override {
    return files_.at(file_name).substr(0, limit_bytes);
  }

  Result<std::optional<uint64_t>> FileSize(const std::string& file_name) const override {
    return std::optional<uint64_t>(files_.at(file_name).size());
  }

  const std::map<std::string, std::string>& files() const { return files_; }
  bool Has(const std::string& name) const { return files_.contains(name); }

  void Set(const std::string& name, std::string bytes) {
    files_[name] = std::move(bytes);
    ListFiles();
  }
  void Set(ImageType type, uint64_t id, std::string bytes) {
    Set(ImageFileName(type, id), std::move(bytes));
  }
  bool Remove(const std::string& name) {
    const bool was_there = files_.erase(name) > 0;
    ListFiles();
    return was_there;
  }

  // Appends an entry to an image, which is made where there is none. Required fields are filled in.
  template <typename M>
  void Add(ImageType type, uint64_t id, M message, const std::string& extra = "") {
    FillRequired(message);
    const std::string name = ImageFileName(type, id);
    ImageEncoder encoder(type);
    if (files_.contains(name)) {
      const ImageFile image = Read(name).value();
      for (const ImageEntry& entry : image.entries()) {
        encoder.AppendOriginal(entry.message, entry.extra);
      }
    }
    const std::string bytes = message.SerializePartialAsString();
    encoder.AppendOriginal(AsBytes(bytes), AsBytes(extra));
    Set(name, encoder.TakeBytes());
  }

  // The name of the first image of a type, by name; empty where there is none.
  std::string FirstOf(ImageType type) const {
    for (const auto& [name, bytes] : files_) {
      const auto image = FindImageTypeByFileName(name);
      if (image && image->type == type) return name;
    }
    return "";
  }

  bool RemoveFirst(ImageType type) {
    const std::string name = FirstOf(type);
    return !name.empty() && Remove(name);
  }

  // Offers each entry of type M, in all images of the type, to `change`, until it says that it
  // changed one. False where there is none.
  template <typename M, typename Change>
  bool Edit(ImageType type, Change change) {
    for (const std::string& name : file_names()) {
      const auto image = FindImageTypeByFileName(name);
      if (image && image->type == type && EditImage<M>(name, change)) return true;
    }
    return false;
  }

  // Appends a second entry like the first of type M that `choose` takes.
  template <typename M, typename Choose>
  bool Repeat(ImageType type, Choose choose) {
    for (const std::string& name : file_names()) {
      const auto found = FindImageTypeByFileName(name);
      if (!found || found->type != type) continue;
      const ImageFile image = Read(name).value();
      ImageEncoder encoder(type);
      std::optional<ImageEntry> chosen;
      for (const ImageEntry& entry : image.entries()) {
        encoder.AppendOriginal(entry.message, entry.extra);
        if (FindEntryDescriptor(type, entry.index) != M::descriptor() || chosen) continue;
        if (choose(ParseMessageAs<M>(entry.message).value())) chosen = entry;
      }
      if (!chosen) continue;
      encoder.AppendOriginal(chosen->message, chosen->extra);
      Set(name, encoder.TakeBytes());
      return true;
    }
    return false;
  }

 private:
  void ListFiles() {
    file_names_.clear();
    for (const auto& [name, bytes] : files_) file_names_.push_back(name);
  }

  template <typename M, typename Change>
  bool EditImage(const std::string& name, Change change) {
    const ImageFile image = Read(name).value();
    ImageEncoder encoder(image.type());
    bool is_changed = false;
    for (const ImageEntry& entry : image.entries()) {
      const bool is_offered =
          !is_changed && FindEntryDescriptor(image.type(), entry.index) == M::descriptor();
      M message;
      if (is_offered) {
        message = ParseMessageAs<M>(entry.message).value();
        is_changed = change(message);
      }
      const std::string bytes = message.SerializePartialAsString();
      encoder.AppendOriginal(is_offered && is_changed ? AsBytes(bytes) : entry.message,
                             entry.extra);
    }
    if (is_changed) Set(name, encoder.TakeBytes());
    return is_changed;
  }

  std::map<std::string, std::string> files_;
  std::vector<std::string> file_names_;
};

}  // namespace ckpt

#endif  // FORMATS_CHECK_MEMORY_DUMP_H_
