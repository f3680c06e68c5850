#include "imgtool/storage/inventory_mark.h"

#include "formats/image_message.h"
#include "formats/image_version.h"
#include "formats/proto/inventory.pb.h"
#include "imgtool/image_edits.h"

namespace ckpt {

namespace {

Result<uint32_t> VersionIn(const ImageFile& image) {
  CKPT_TRY(const auto inventory, ParseSingleEntry<pb::inventory_entry>(image));
  const uint32_t version = inventory.img_version();
  if (IsKnownImageVersion(version)) return version;
  return MakeError(ErrorCode::kUnsupported, "{}: images of version {}{}, supported are {} and {}",
                   image.name(), version,
                   version == kCriuCompressedVersion ? " (compressed by CRIU)" : "",
                   kOldestImageVersion, kNewestImageVersion);
}

Result<std::string> WithVersion(const ImageFile& image, uint32_t from, uint32_t to) {
  const Edit edit{.place = {ImageFileName(ImageType::kInventory), 0},
                  .field = "img_version",
                  .old_value = int64_t{from},
                  .new_value = int64_t{to},
                  .pass = "compress",
                  .evidence = ""};
  const Edit* const edits[] = {&edit};
  return EditImage(image, edits);
}

}  // namespace

Result<PagesForm> FormOfPages(const DumpDirectory& dump) {
  CKPT_TRY(const ImageFile image, dump.Read(ImageType::kInventory));
  CKPT_TRY(const uint32_t version, VersionIn(image));
  return SaysZstdPages(version) ? PagesForm::kZstd : PagesForm::kPlain;
}

Result<std::string> InventorySaying(const DumpDirectory& dump, PagesForm form) {
  CKPT_TRY(const ImageFile image, dump.Read(ImageType::kInventory));
  CKPT_TRY(const uint32_t version, VersionIn(image));
  const uint32_t wanted =
      form == PagesForm::kZstd ? WithZstdMark(version) : WithoutZstdMark(version);
  CKPT_TRY(std::string bytes, WithVersion(image, version, wanted));
  CKPT_TRY(const ImageFile changed, ImageFile::Parse(image.name(), ImageType::kInventory, bytes));
  CKPT_TRY(const std::string back, WithVersion(changed, wanted, version));
  if (back == AsText(image.bytes())) return bytes;
  return MakeError(
      ErrorCode::kUnsupported,
      "{}: img_version is not encoded as protobuf does, so that it would not come back "
      "as it is",
      image.name());
}

}  // namespace ckpt
