#include "imgtool/check/staged_check.h"

#include <set>
#include <utility>
#include <vector>

#include "formats/check/check_dump.h"
#include "formats/image_type.h"
#include "imgtool/check/checked_chain.h"
#include "imgtool/check/plan_check.h"

namespace ckpt {

namespace {

// Every file is wholly another: no field of it is as it was.
CheckedChange ChangeOf(const DumpChanges& changes) {
  CheckedChange change;
  std::set<std::string> names;
  const auto touch = [&](const std::string& name) {
    const auto image = FindImageTypeByFileName(name);
    if (image) change.touched.insert(std::string(GetImageType(image->type).name));
    names.insert(name);
  };
  for (const auto& [name, content] : changes.edited) touch(changes.NameOf(name));
  for (const auto& [name, content] : changes.new_files) touch(name);
  for (const auto& [from, to] : changes.renames) touch(from);
  for (const std::string& name : changes.removed) touch(name);
  change.file_names.assign(names.begin(), names.end());
  return change;
}

Result<std::vector<CheckFinding>> FindingsIn(const std::string& directory,
                                             const CheckedChange& change) {
  CKPT_TRY(const CheckedChain chain, CheckedChain::Open(directory));
  return CheckChange(chain.dump(), change);
}

bool IsError(const CheckFinding& finding) {
  return finding.rule->severity == CheckSeverity::kError;
}

}  // namespace

Result<> CheckStaged(const std::string& dump, const std::string& staged,
                     const DumpChanges& changes) {
  const CheckedChange change = ChangeOf(changes);
  CKPT_TRY(const auto after, FindingsIn(staged, change));
  if (!HasFindings(after)) return success();
  CKPT_TRY(const auto before, FindingsIn(dump, change));
  // Entries of pagemaps are others, so that theirs cannot be compared one by one.
  std::set<std::pair<const CheckRule*, std::string>> known;
  for (const CheckFinding& finding : before) {
    known.emplace(finding.rule, changes.NameOf(finding.image));
  }
  std::vector<const CheckFinding*> errors;
  for (const CheckFinding& finding : after) {
    if (IsError(finding) && !known.contains({finding.rule, finding.image})) {
      errors.push_back(&finding);
    }
  }
  return errors.empty() ? Result<>(success()) : RefuseToWrite(errors);
}

}  // namespace ckpt
