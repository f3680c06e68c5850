#include "imgtool/check/changed_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "formats/image_reader.h"

namespace ckpt {

namespace {

Result<uint64_t> SizeOf(const FileContent& content) {
  uint64_t size_bytes = content.bytes.size() + content.hole_bytes;
  if (content.source.empty()) return size_bytes;
  struct stat status {};
  if (stat(content.source.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "stat(\"{}\")", content.source);
  }
  return size_bytes + static_cast<uint64_t>(status.st_size);
}

}  // namespace

ChangedSource::ChangedSource(const ImageSource& images, const DumpChanges* changes)
    : images_(images), changes_(changes), file_names_(images.file_names()) {
  if (changes == nullptr) return;
  for (std::string& name : file_names_) {
    const auto renamed = changes->renames.find(name);
    if (renamed == changes->renames.end()) continue;
    old_names_[renamed->second] = name;
    name = renamed->second;
  }
  for (const auto& [name, content] : changes->new_files) file_names_.push_back(name);
  std::ranges::sort(file_names_);
}

const std::string& ChangedSource::OldName(const std::string& file_name) const {
  const auto found = old_names_.find(file_name);
  return found == old_names_.end() ? file_name : found->second;
}

const FileContent* ChangedSource::FindContent(const std::string& file_name) const {
  if (changes_ == nullptr) return nullptr;
  const auto added = changes_->new_files.find(file_name);
  if (added != changes_->new_files.end()) return &added->second;
  const auto edited = changes_->edited.find(OldName(file_name));
  return edited == changes_->edited.end() ? nullptr : &edited->second;
}

// The bytes that follow those of `content` are payload behind the last message.
Result<ImageFile> ChangedSource::Read(const std::string& file_name) const {
  const FileContent* content = FindContent(file_name);
  if (content == nullptr) return images_.Read(OldName(file_name));
  const auto image = FindImageTypeByFileName(file_name);
  if (image) return ImageFile::Parse(file_name, image->type, content->bytes);
  CKPT_TRY(const ImageType type, IdentifyImage(file_name, AsBytes(content->bytes)));
  return ImageFile::Parse(file_name, type, content->bytes);
}

Result<std::string> ChangedSource::ReadStart(const std::string& file_name,
                                             size_t limit_bytes) const {
  const FileContent* content = FindContent(file_name);
  if (content != nullptr) return content->bytes.substr(0, limit_bytes);
  return images_.ReadStart(OldName(file_name), limit_bytes);
}

Result<std::optional<uint64_t>> ChangedSource::FileSize(const std::string& file_name) const {
  const FileContent* content = FindContent(file_name);
  if (content == nullptr) return images_.FileSize(OldName(file_name));
  CKPT_TRY(const uint64_t size_bytes, SizeOf(*content));
  return std::optional(size_bytes);
}

}  // namespace ckpt
