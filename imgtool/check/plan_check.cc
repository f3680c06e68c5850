#include "imgtool/check/plan_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "formats/image_type.h"
#include "imgtool/check/changed_source.h"
#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

// More would only hide the first.
constexpr size_t kMostShown = 8;

// "ify.wd[1].f_handle.path" without numbers.
std::string WithoutNumbers(std::string_view field) {
  std::string plain;
  bool is_number = false;
  for (const char c : field) {
    if (c == '[') is_number = true;
    if (!is_number) plain += c;
    if (c == ']') is_number = false;
  }
  return plain;
}

std::string TypeName(const std::string& file_name) {
  const auto image = FindImageTypeByFileName(file_name);
  return image ? std::string(GetImageType(image->type).name) : "";
}

class ChangeBuilder {
 public:
  explicit ChangeBuilder(const EditPlan& plan) : plan_(plan) {}

  CheckedChange Build() {
    for (const Edit* edit : plan_.edits()) {
      const std::string& image = edit->place.image;
      change_.touched.insert(TypeName(image) + "." + WithoutNumbers(edit->field));
      names_.insert(NewName(image));
    }
    for (const NewEntry* entry : plan_.new_entries()) Touch(entry->image);
    for (const auto& [name, file] : plan_.new_files()) Touch(name);
    for (const auto& [from, rename] : plan_.renames()) {
      Touch(from);
      Touch(rename.to);
    }
    // Their messages stay, and so do the lengths in them.
    for (const auto& [image, erasure] : plan_.erasures()) names_.insert(NewName(image));
    change_.file_names.assign(names_.begin(), names_.end());
    return std::move(change_);
  }

 private:
  std::string NewName(const std::string& name) const {
    const auto renamed = plan_.renames().find(name);
    return renamed == plan_.renames().end() ? name : renamed->second.to;
  }

  void Touch(const std::string& name) {
    const std::string type = TypeName(name);
    if (!type.empty()) change_.touched.insert(type);
    names_.insert(NewName(name));
  }

  const EditPlan& plan_;
  CheckedChange change_;
  std::set<std::string> names_;
};

// Where a finding is.
using Place = std::tuple<const CheckRule*, std::string, std::optional<size_t>, std::string>;

std::set<Place> PlacesOf(const std::vector<CheckFinding>& findings, const DumpChanges& changes) {
  std::set<Place> places;
  for (const CheckFinding& finding : findings) {
    places.emplace(finding.rule, changes.NameOf(finding.image), finding.entry, finding.field);
  }
  return places;
}

std::string TextOf(const CheckFinding& finding) {
  return fmt::format("{} {}: {}", Name(finding.rule->severity), finding.rule->id,
                     EscapeOctal(finding.Text()));
}

size_t CountOf(const std::vector<CheckFinding>& findings) {
  return static_cast<size_t>(std::ranges::count_if(findings, [](const CheckFinding& finding) {
    return finding.rule->severity != CheckSeverity::kNote;
  }));
}

Result<std::vector<CheckFinding>> FindingsOf(const CheckSource& source,
                                             const CheckedChange& change) {
  const CheckedDump dump(source);
  return CheckChange(dump, change);
}

}  // namespace

std::vector<const CheckFinding*> NewFindings(const std::vector<CheckFinding>& before,
                                             const std::vector<CheckFinding>& after,
                                             const DumpChanges& changes) {
  const std::set<Place> places = PlacesOf(before, changes);
  std::vector<const CheckFinding*> added;
  for (const CheckFinding& finding : after) {
    if (finding.rule->severity == CheckSeverity::kNote) continue;
    if (places.contains({finding.rule, finding.image, finding.entry, finding.field})) continue;
    added.push_back(&finding);
  }
  return added;
}

Error RefuseToWrite(const std::vector<const CheckFinding*>& errors) {
  std::string text;
  for (size_t i = 0; i < std::min(errors.size(), kMostShown); ++i) {
    text += (i == 0 ? "" : "; ") + TextOf(*errors[i]);
  }
  if (errors.size() > kMostShown) text += fmt::format("; {} more", errors.size() - kMostShown);
  return MakeError(ErrorCode::kUnsupported,
                   "nothing is written, since the changed dump could not be restored: {}", text);
}

CheckedChange ChangeOf(const EditPlan& plan) { return ChangeBuilder(plan).Build(); }

Result<std::vector<PlanNote>> CheckPlan(const ImageSource& images, const EditPlan& plan,
                                        const DumpChanges& changes) {
  CheckedChange change = ChangeOf(plan);
  CKPT_TRY(const auto findings, FindingsOf(ChangedSource(images, &changes), change));
  std::vector<PlanNote> notes;
  if (!HasFindings(findings)) return notes;
  // By their old names.
  for (const auto& [from, to] : changes.renames) change.file_names.push_back(from);
  CKPT_TRY(const auto before, FindingsOf(ChangedSource(images), change));
  std::vector<const CheckFinding*> errors;
  const auto added = NewFindings(before, findings, changes);
  for (const CheckFinding* finding : added) {
    if (finding->rule->severity == CheckSeverity::kError) {
      errors.push_back(finding);
    } else {
      notes.push_back({"", TextOf(*finding)});
    }
  }
  const size_t old_count = CountOf(findings) - added.size();
  if (!errors.empty()) return RefuseToWrite(errors);
  if (old_count > 0) {
    notes.push_back({"", fmt::format("{} finding{} of `imgtool check` that the dump had before",
                                     old_count, old_count == 1 ? "" : "s")});
  }
  return notes;
}

}  // namespace ckpt
