#include "imgtool/anonymise_pass.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/image_type.h"
#include "formats/page_compression.h"
#include "formats/pagemap.h"
#include "formats/proto/cgroup.pb.h"
#include "imgtool/address_words.h"
#include "imgtool/anonymous_addresses.h"
#include "imgtool/rewrite_context.h"

namespace ckpt {

namespace {

constexpr char kPass[] = "anonymise";
constexpr char kEvidence[] = "--anonymise";
constexpr std::string_view kKept[] = {"", ".", "..", "dev", "proc", "sys"};

// What a pagemap says may be anything; compressed zeros are made in memory, a 15,000th of this.
constexpr uint64_t kMostErasedBytes = uint64_t{1} << 42;

enum class Shape { kOther, kPath, kName, kPayload, kOptions, kVector, kAddress };

constexpr char kLeft[] =
    "--anonymise leaves general registers, floating point registers of MIPS, ids, ports, sizes, "
    "times, hardware addresses, and the names of network devices";

Shape ShapeOf(const RoleField& field) {
  switch (field.row->role) {
    case FieldRole::kPath:
    case FieldRole::kSocketName:
    case FieldRole::kWatchedPath:
    case FieldRole::kLinkText:
    case FieldRole::kHostPath:
    case FieldRole::kMountRoot:
    case FieldRole::kMountSource:
    case FieldRole::kCgroup:
      return field.is_path ? Shape::kPath : Shape::kOther;
    case FieldRole::kHostName:
    case FieldRole::kTaskName:
    case FieldRole::kLabel:
    case FieldRole::kMountKey:
      return Shape::kName;
    case FieldRole::kPayload:
      return Shape::kPayload;
    case FieldRole::kMountOptions:
      return Shape::kOptions;
    case FieldRole::kVector:
      return Shape::kVector;
    case FieldRole::kAddress:
      return Shape::kAddress;
    default:
      return Shape::kOther;
  }
}

// The pieces of a path; zeros part as slashes do.
std::vector<std::string> Components(const std::string& path) {
  std::vector<std::string> components(1);
  for (const char byte : path) {
    if (byte == '/' || byte == '\0') {
      components.emplace_back();
    } else {
      components.back() += byte;
    }
  }
  return components;
}

class Anonymiser {
 public:
  Anonymiser(RewriteContext& context, EditPlan& plan) : context_(context), plan_(plan) {}

  Result<> Run() {
    Collect();
    for (const RoleField& field : context_.fields) CKPT_TRY(ChangeField(field));
    for (const std::string& name : context_.images.file_names()) CKPT_TRY(ChangeFile(name));
    plan_.AddNote({"", kLeft});
    return ChangeCgroupPrefixes();
  }

 private:
  // Numbers in the order of bytes: the same whatever the order of images.
  void Collect() {
    std::set<std::string> names;
    std::set<std::string> addresses;
    for (const RoleField& field : context_.fields) {
      const auto* numbers = std::get_if<FieldNumbers>(&field.value);
      if (numbers != nullptr && ShapeOf(field) == Shape::kAddress) {
        addresses.insert(AddressOfWords(*numbers));
      }
      const auto* text = std::get_if<std::string>(&field.value);
      if (text == nullptr) continue;
      if (ShapeOf(field) == Shape::kPath) {
        for (std::string& component : Components(*text)) names.insert(std::move(component));
      } else if (ShapeOf(field) == Shape::kName) {
        names.insert(*text);
      }
    }
    for (const std::string_view kept : kKept) names.erase(std::string(kept));
    addresses_ = AnonymousAddresses(addresses);
    size_t number = 0;
    for (const std::string& name : names) names_[name] = fmt::format("x{}", ++number);
  }

  std::string NewName(const std::string& name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? name : found->second;
  }

  std::string NewPath(const std::string& path) const {
    std::string changed;
    size_t at = 0;
    for (const std::string& component : Components(path)) {
      changed += NewName(component);
      at += component.size();
      if (at < path.size()) changed += path[at++];
    }
    return changed;
  }

  Result<> ChangeNumbers(const RoleField& field, const FieldNumbers& numbers) {
    FieldNumbers changed = numbers;
    if (ShapeOf(field) == Shape::kVector) {
      changed.assign(numbers.size(), 0);
    } else if (ShapeOf(field) == Shape::kAddress) {
      const auto found = addresses_.find(AddressOfWords(numbers));
      if (found != addresses_.end()) changed = WordsOfAddress(found->second);
    }
    return plan_.Add(EditOf(field, std::move(changed), kPass, kEvidence));
  }

  Result<> ChangeField(const RoleField& field) {
    const auto* numbers = std::get_if<FieldNumbers>(&field.value);
    if (numbers != nullptr) return ChangeNumbers(field, *numbers);
    const auto* text = std::get_if<std::string>(&field.value);
    if (text == nullptr) return success();
    std::string changed = *text;
    switch (ShapeOf(field)) {
      case Shape::kPath:
        changed = NewPath(*text);
        break;
      case Shape::kName:
        // CRIU's own keys are no names.
        if (!text->starts_with("CRIU:")) changed = NewName(*text);
        break;
      case Shape::kPayload:
        changed.assign(text->size(), '\0');
        break;
      case Shape::kOptions:
        changed.clear();
        break;
      default:
        return success();
    }
    return plan_.Add(EditOf(field, std::move(changed), kPass, kEvidence));
  }

  Result<> ChangeFile(const std::string& name) {
    CKPT_TRY(const auto size_bytes, context_.images.FileSize(name));
    if (!size_bytes) {
      plan_.AddNote({name, "no file of its own; what it holds or leads to is not anonymised"});
      return success();
    }
    const auto image = FindImageTypeByFileName(name);
    const ImageFraming framing = image ? GetImageType(image->type).framing : ImageFraming::kRaw;
    if (framing == ImageFraming::kLegacyPages) {
      return MakeError(ErrorCode::kUnsupported, "{}: pages in the way of old dumps", name);
    }
    if (framing == ImageFraming::kRaw) {
      if (*size_bytes == 0) return success();
      if (image && image->type == ImageType::kPagesZstd) return EraseCompressedPages(name, *image);
      // The pagemaps tell how many pages there are.
      const bool is_pages = image && image->type == ImageType::kPages;
      return plan_.AddFile({name, {"", "", is_pages ? *size_bytes : 0}, true, kPass, kEvidence});
    }
    if (GetImageType(image->type).extra != ExtraKind::kNone) {
      plan_.EraseExtras(name, kPass, kEvidence);
    }
    return success();
  }

  // As many pages as the pagemap of the image says.
  Result<> EraseCompressedPages(const std::string& name, const ImageName& image) {
    uint64_t size_bytes = 0;
    for (const std::string& other : context_.images.file_names()) {
      const auto found = FindImageTypeByFileName(other);
      if (!found) continue;
      if (found->type != ImageType::kPagemap && found->type != ImageType::kShmemPagemap) continue;
      CKPT_TRY(const ImageFile pagemap_image, context_.images.Read(other));
      CKPT_TRY(const Pagemap pagemap, ParsePagemap(pagemap_image));
      if (pagemap.pages_id == image.id) size_bytes = std::max(size_bytes, pagemap.present_bytes);
    }
    if (size_bytes > kMostErasedBytes) {
      return MakeError(ErrorCode::kUnsupported,
                       "{}: {} bytes of pages, at most {} are anonymised in a compressed dump; "
                       "`imgtool decompress` first",
                       name, size_bytes, kMostErasedBytes);
    }
    CKPT_TRY(std::string zeros, CompressedZeros(size_bytes));
    return plan_.AddFile({name, {std::move(zeros), "", 0}, true, kPass, kEvidence});
  }

  Result<> ChangeCgroupPrefixes() {
    const std::string name = ImageFileName(ImageType::kCgroup);
    if (!context_.images.Has(name)) return success();
    CKPT_TRY(const ImageFile image, context_.images.Read(name));
    CKPT_TRY(const auto entries, ParseEntries<pb::cgroup_entry>(image));
    for (size_t i = 0; i < entries.size(); ++i) {
      for (int set = 0; set < entries[i].sets_size(); ++set) {
        for (int ctl = 0; ctl < entries[i].sets(set).ctls_size(); ++ctl) {
          const auto& member = entries[i].sets(set).ctls(ctl);
          if (!member.has_cgns_prefix()) continue;
          const std::string outer = NewPath(member.path().substr(
              0, std::min<size_t>(member.cgns_prefix(), member.path().size())));
          CKPT_TRY(plan_.Add({{name, i},
                              fmt::format("sets[{}].ctls[{}].cgns_prefix", set, ctl),
                              int64_t{member.cgns_prefix()},
                              static_cast<int64_t>(outer.size()),
                              kPass,
                              kEvidence}));
        }
      }
    }
    return success();
  }

  RewriteContext& context_;
  EditPlan& plan_;
  std::map<std::string, std::string> names_;
  std::map<std::string, std::string> addresses_;
};

}  // namespace

Result<> Anonymise(RewriteContext& context, EditPlan& plan) {
  return context.rules.anonymise ? Anonymiser(context, plan).Run() : Result<>(success());
}

}  // namespace ckpt
