#include "imgtool/edit_plan.h"

#include <fmt/format.h>

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
  const auto key = std::make_pair(edit.place, edit.field);
  const auto [found, added] = edits_.try_emplace(key, std::move(edit));
  if (!added && found->second.new_value != edit.new_value) {
    return MakeError(ErrorCode::kUnsupported, "{}: {}: {}, but {}", edit.place.Text(), edit.field,
                     Proposal(found->second), Proposal(edit));
  }
  return success();
}

std::vector<const Edit*> EditPlan::edits() const {
  std::vector<const Edit*> sorted;
  for (const auto& [key, edit] : edits_) sorted.push_back(&edit);
  return sorted;
}

}  // namespace ckpt
