#include "formats/check/checked_dump.h"

#include <algorithm>

#include "formats/image_message.h"
#include "formats/pagemap.h"
#include "formats/proto/memory.pb.h"

namespace ckpt {

namespace {

using google::protobuf::Message;

// What the bytes of the dump are to blame for; anything else is a failure of ours or the system's.
bool IsDamage(const Error& error) {
  return error.code == ErrorCode::kBadFormat || error.code == ErrorCode::kUnsupported;
}

CheckedPages PagesOf(const pb::pagemap_entry& entry) {
  CheckedPages pages{};
  pages.start = entry.vaddr();
  pages.page_count = entry.has_nr_pages() ? entry.nr_pages() : entry.compat_nr_pages();
  pages.flags = entry.flags();
  if (entry.in_parent()) {
    pages.flags |= kPagesInParent;
  } else if (!entry.has_flags()) {
    pages.flags = kPagesPresent;
  }
  return pages;
}

const Message& PrototypeOf(const google::protobuf::Descriptor& descriptor) {
  return *google::protobuf::MessageFactory::generated_factory()->GetPrototype(&descriptor);
}

}  // namespace

CheckedDump::CheckedDump(const CheckSource& source, const CheckedDump* parent,
                         std::string parent_problem)
    : source_(source),
      parent_(parent),
      parent_problem_(std::move(parent_problem)),
      arena_(std::make_unique<google::protobuf::Arena>()) {
  for (const std::string& file_name : source.file_names()) {
    if (const auto name = FindImageTypeByFileName(file_name)) {
      images_[name->type].push_back({*name, file_name});
    } else {
      other_files_.push_back(file_name);
    }
  }
  for (auto& [type, images] : images_) {
    std::ranges::sort(images, {}, [](const CheckedImage& image) { return image.name.id; });
  }
}

const std::vector<CheckedImage>& CheckedDump::ImagesOf(ImageType type) const {
  static const std::vector<CheckedImage> none;
  const auto found = images_.find(type);
  return found == images_.end() ? none : found->second;
}

const CheckedImage* CheckedDump::Find(ImageType type, uint64_t id) const {
  const auto& images = ImagesOf(type);
  const auto found = std::ranges::lower_bound(
      images, id, {}, [](const CheckedImage& image) { return image.name.id; });
  return found == images.end() || found->name.id != id ? nullptr : &*found;
}

void CheckedDump::Keep(size_t index, const pb::pagemap_entry& pages, LoadedImage& loaded) const {
  loaded.pages.push_back(PagesOf(pages));
  if (pages.unknown_fields().empty()) return;
  Message* odd = pages.New(arena_.get());
  odd->CopyFrom(pages);
  loaded.odd_pages.emplace_back(index, odd);
}

Result<> CheckedDump::LoadInto(const CheckedImage& image, LoadedImage& loaded) const {
  pb::pagemap_entry pages;
  const auto load = [&](size_t index, Bytes bytes) -> Result<> {
    const auto* descriptor = FindEntryDescriptor(image.name.type, index);
    if (descriptor == nullptr) return success();
    if (descriptor == pb::pagemap_entry::descriptor()) {
      CKPT_TRY(ParseMessage(bytes, pages));
      Keep(index, pages, loaded);
      return success();
    }
    Message* message = PrototypeOf(*descriptor).New(arena_.get());
    CKPT_TRY(ParseMessage(bytes, *message));
    loaded.messages.push_back(message);
    return success();
  };
  CKPT_TRY(loaded.header, source_.ReadMessages(image.file_name, load));
  return success();
}

const LoadedImage& CheckedDump::Load(const CheckedImage& image) const {
  const auto [place, is_new] = loaded_.try_emplace(&image);
  LoadedImage& loaded = place->second;
  if (!is_new) return loaded;
  loaded.image = &image;
  if (GetImageType(image.name.type).framing == ImageFraming::kRaw) {
    loaded.is_whole = true;
    return loaded;
  }
  auto result = LoadInto(image, loaded);
  loaded.is_whole = result.has_value();
  if (loaded.is_whole) return loaded;
  loaded = LoadedImage();
  loaded.image = &image;
  if (IsDamage(result.error())) {
    loaded.damage = result.error().message;
  } else {
    NoteFailure(std::move(result).error());
  }
  return loaded;
}

bool CheckedDump::AreWhole(ImageType type) const {
  return std::ranges::all_of(ImagesOf(type),
                             [this](const CheckedImage& image) { return Load(image).is_whole; });
}

void CheckedDump::NoteFailure(Error error) const {
  if (!failure_) failure_ = std::move(error);
}

std::optional<CheckedDump::Pages> CheckedDump::FindPages(uint64_t pages_id) const {
  if (const CheckedImage* plain = Find(ImageType::kPages, pages_id)) {
    return Pages{plain->file_name, FileSize(plain->file_name), ""};
  }
  const CheckedImage* packed = Find(ImageType::kPagesZstd, pages_id);
  if (packed == nullptr) return std::nullopt;
  Pages pages{packed->file_name, std::nullopt, ""};
  auto size = source_.UnpackedSize(packed->file_name);
  if (size.has_value()) {
    pages.size_bytes = size.value();
  } else if (IsDamage(size.error())) {
    pages.damage = size.error().message;
  } else {
    NoteFailure(std::move(size).error());
  }
  return pages;
}

std::optional<uint64_t> CheckedDump::FileSize(const std::string& file_name) const {
  auto size = source_.FileSize(file_name);
  if (size.has_value()) return size.value();
  NoteFailure(std::move(size).error());
  return std::nullopt;
}

}  // namespace ckpt
