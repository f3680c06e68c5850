#include "imgtool/edit_plan.h"

#include <fmt/format.h>

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

std::vector<const Edit*> EditPlan::edits() const {
  std::vector<const Edit*> sorted;
  for (const Edit& edit : edits_) sorted.push_back(&edit);
  std::ranges::stable_sort(sorted, {}, &Edit::place);
  return sorted;
}

}  // namespace ckpt
