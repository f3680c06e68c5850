#include "formats/check/check_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/check/checked_files.h"
#include "formats/check/checked_tasks.h"

namespace ckpt {

std::string_view Name(CheckSeverity severity) {
  constexpr std::string_view kNames[] = {"error", "warning", "note"};
  return kNames[static_cast<size_t>(severity)];
}

std::string CheckFinding::Text() const {
  std::string text = image;
  if (entry) text += fmt::format(": entry {}", *entry);
  if (!field.empty()) text += ": " + field;
  text += ": " + found;
  if (!expected.empty()) text += ", expected " + expected;
  return text;
}

CheckRun::CheckRun(const CheckedDump& dump) : dump_(dump) {}
CheckRun::~CheckRun() = default;

bool CheckRun::IsWanted(std::string_view file_name) const {
  return limit_ == nullptr || std::ranges::find(*limit_, file_name) != limit_->end();
}

void CheckRun::Run(const CheckRule& rule) {
  rule_ = &rule;
  rule.run(*this);
}

const CheckedTasks& CheckRun::tasks() {
  if (!tasks_) tasks_ = std::make_unique<CheckedTasks>(dump_);
  return *tasks_;
}

const CheckedFiles& CheckRun::files() {
  if (!files_) files_ = std::make_unique<CheckedFiles>(dump_);
  return *files_;
}

void CheckRun::Add(CheckPlace place, std::string field, std::string found, std::string expected) {
  findings_.push_back({rule_, std::string(place.image), place.entry, std::move(field),
                       std::move(found), std::move(expected)});
}

}  // namespace ckpt
