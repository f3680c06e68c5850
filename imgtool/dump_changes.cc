#include "imgtool/dump_changes.h"

#include <vector>

#include "imgtool/image_edits.h"

namespace ckpt {

namespace {

struct ImagePlan {
  std::vector<const Edit*> edits;
  std::vector<const Move*> moves;
  std::vector<const NewEntry*> new_entries;
  ExtraChange extras = ExtraChange::kKeep;
};

std::map<std::string, ImagePlan> ByImage(const EditPlan& plan) {
  std::map<std::string, ImagePlan> by_image;
  for (const Edit* edit : plan.edits()) by_image[edit->place.image].edits.push_back(edit);
  for (const Move* move : plan.moves()) by_image[move->place.image].moves.push_back(move);
  for (const NewEntry* entry : plan.new_entries()) {
    by_image[entry->image].new_entries.push_back(entry);
  }
  for (const auto& [image, erasure] : plan.erasures()) by_image[image].extras = ExtraChange::kErase;
  return by_image;
}

Result<> AddImages(const EditPlan& plan, const ImageSource& images, DumpChanges& changes) {
  for (const auto& [name, image_plan] : ByImage(plan)) {
    if (images.Has(name)) {
      CKPT_TRY(const ImageFile image, images.Read(name));
      CKPT_TRY(changes.edited[name].bytes,
               EditImage(image, image_plan.edits, image_plan.new_entries, image_plan.extras,
                         image_plan.moves));
    } else if (image_plan.edits.empty() && image_plan.moves.empty()) {
      CKPT_TRY(changes.new_files[name].bytes, NewImage(name, image_plan.new_entries));
    } else {
      return MakeError(ErrorCode::kInternal, "{}: an edit of an image that the dump has not", name);
    }
  }
  return success();
}

Result<> AddFile(const NewFile& file, const ImageSource& images, DumpChanges& changes) {
  if (file.replaces != images.Has(file.name)) {
    return MakeError(ErrorCode::kUnsupported, "{}: pass {} wants to {}, which {} ({})", file.name,
                     file.pass, file.replaces ? "replace it" : "make it",
                     file.replaces ? "is not there" : "is there already", file.evidence);
  }
  auto& files = file.replaces ? changes.edited : changes.new_files;
  if (!files.try_emplace(file.name, file.content).second) {
    return MakeError(ErrorCode::kUnsupported,
                     "{}: pass {} writes it ({}), but other passes edit its entries", file.name,
                     file.pass, file.evidence);
  }
  return success();
}

Result<> AddRename(const FileRename& rename, const EditPlan& plan, const ImageSource& images,
                   DumpChanges& changes) {
  const bool is_free = (!images.Has(rename.to) || plan.renames().contains(rename.to)) &&
                       !changes.new_files.contains(rename.to);
  if (!images.Has(rename.from) || !is_free) {
    return MakeError(ErrorCode::kUnsupported, "{}: pass {} renames it to {}, but {} ({})",
                     rename.from, rename.pass, rename.to,
                     is_free ? "it is not there" : "that is there already", rename.evidence);
  }
  changes.renames.emplace(rename.from, rename.to);
  return success();
}

}  // namespace

const std::string& DumpChanges::NameOf(const std::string& old_name) const {
  const auto found = renames.find(old_name);
  return found == renames.end() ? old_name : found->second;
}

Result<DumpChanges> ChangesOf(const EditPlan& plan, const ImageSource& images) {
  DumpChanges changes;
  CKPT_TRY(AddImages(plan, images, changes));
  for (const auto& [name, file] : plan.new_files()) CKPT_TRY(AddFile(file, images, changes));
  for (const auto& [from, rename] : plan.renames()) {
    CKPT_TRY(AddRename(rename, plan, images, changes));
  }
  return changes;
}

}  // namespace ckpt
