#include "imgtool/edit_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

std::string Proposal(const Edit& edit) {
  return fmt::format("pass {} sets {} ({})", edit.pass, FieldText(edit.new_value), edit.evidence);
}

}  // namespace

std::string EntryPlace::Text() const { return fmt::format("{}: entry {}", image, entry); }

std::string FieldText(const FieldValue& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return fmt::format("{}", *number);
  if (const auto* bytes = std::get_if<std::string>(&value)) {
    return fmt::format("\"{}\"", EscapeOctal(*bytes, "\""));
  }
  if (const auto* numbers = std::get_if<FieldNumbers>(&value)) {
    return fmt::format("[{}]", fmt::join(*numbers, ", "));
  }
  return "(absent)";
}

Result<> EditPlan::Add(Edit edit) {
  if (edit.old_value == edit.new_value) return success();
  const auto [found, added] =
      by_field_.try_emplace(std::make_pair(edit.place, edit.field), edits_.size());
  if (added) {
    edits_.push_back(std::move(edit));
    return success();
  }
  const Edit& first = edits_[found->second];
  if (first.new_value == edit.new_value) return success();
  return MakeError(ErrorCode::kUnsupported, "{}: {}: {}, but {}", edit.place.Text(), edit.field,
                   Proposal(first), Proposal(edit));
}

void EditPlan::AddEntry(NewEntry entry) {
  std::pair<std::string, std::string> key(entry.image, entry.message);
  new_entries_.try_emplace(std::move(key), std::move(entry));
}

Result<> EditPlan::AddFile(NewFile file) {
  const auto [found, added] = new_files_.try_emplace(file.name, file);
  if (added || found->second.content == file.content) return success();
  return MakeError(ErrorCode::kUnsupported, "{}: pass {} writes it ({}), but pass {}, too ({})",
                   file.name, found->second.pass, found->second.evidence, file.pass, file.evidence);
}

Result<> EditPlan::AddRename(FileRename rename) {
  if (rename.from == rename.to) return success();
  for (const auto& [from, other] : renames_) {
    if (from == rename.from && other.to == rename.to) return success();
    if (from != rename.from && other.to != rename.to) continue;
    return MakeError(ErrorCode::kUnsupported,
                     "pass {} renames {} to {} ({}), but pass {} renames {} to {} ({})", other.pass,
                     from, other.to, other.evidence, rename.pass, rename.from, rename.to,
                     rename.evidence);
  }
  renames_.try_emplace(rename.from, std::move(rename));
  return success();
}

std::vector<const NewEntry*> EditPlan::new_entries() const {
  std::vector<const NewEntry*> sorted;
  for (const auto& [key, entry] : new_entries_) sorted.push_back(&entry);
  return sorted;
}

std::vector<const Edit*> EditPlan::edits() const {
  std::vector<const Edit*> sorted;
  for (const Edit& edit : edits_) sorted.push_back(&edit);
  std::ranges::stable_sort(sorted, {}, &Edit::place);
  return sorted;
}

std::vector<const Move*> EditPlan::moves() const {
  std::vector<const Move*> moves;
  for (const auto& [from, move] : moves_) moves.push_back(&move);
  return moves;
}

}  // namespace ckpt
