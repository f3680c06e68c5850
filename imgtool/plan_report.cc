#include "imgtool/plan_report.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <set>
#include <string_view>
#include <utility>

#include "formats/json_text.h"
#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

std::string Counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

size_t ImageCount(const EditPlan& plan) {
  std::set<std::string_view> images;
  for (const Edit* edit : plan.edits()) images.insert(edit->place.image);
  return images.size();
}

std::string Placements(const PlanOutcome& outcome) {
  std::string text = Counted(outcome.linked, "file") + " hard-linked";
  if (outcome.reflinked > 0) text += fmt::format(", {} reflinked", outcome.reflinked);
  if (outcome.copied > 0) text += fmt::format(", {} copied", outcome.copied);
  return text;
}

std::string ClosingLine(const EditPlan& plan, const PlanOutcome& outcome) {
  const std::string changes = plan.empty()
                                  ? "nothing to do"
                                  : fmt::format("{} in {}", Counted(plan.edits().size(), "change"),
                                                Counted(ImageCount(plan), "image"));
  if (outcome.written.empty()) {
    return fmt::format("{}; nothing written ({})", changes, outcome.reason);
  }
  return fmt::format("{}; written to {}, {}", changes, EscapeOctal(outcome.written),
                     Placements(outcome));
}

class JsonReport {
 public:
  explicit JsonReport(std::ostream& out) : json_(out, JsonStyle::kPretty) {}

  void Write(const EditPlan& plan, const PlanOutcome& outcome) {
    json_.BeginObject();
    json_.Key("edits");
    json_.BeginArray();
    for (const Edit* edit : plan.edits()) WriteEdit(*edit);
    json_.EndArray();
    json_.Key("notes");
    json_.BeginArray();
    for (const PlanNote& note : plan.notes()) WriteNote(note);
    json_.EndArray();
    WriteOutcome(outcome);
    json_.EndObject();
    json_.EndDocument();
    json_.Flush();
  }

 private:
  void Text(std::string_view key, std::string_view text) {
    json_.Key(key);
    json_.String(text);
  }

  void Value(std::string_view key, const FieldValue& value) {
    json_.Key(key);
    if (const auto* number = std::get_if<int64_t>(&value)) {
      json_.Number(*number);
    } else if (const auto* bytes = std::get_if<std::string>(&value)) {
      json_.String(*bytes);
    } else {
      json_.Null();
    }
  }

  void Count(std::string_view key, size_t count) {
    json_.Key(key);
    json_.Number(count);
  }

  void WriteEdit(const Edit& edit) {
    json_.BeginObject();
    Text("image", edit.place.image);
    Count("entry", edit.place.entry);
    Text("field", edit.field);
    Value("old", edit.old_value);
    Value("new", edit.new_value);
    Text("pass", edit.pass);
    Text("evidence", edit.evidence);
    json_.EndObject();
  }

  void WriteNote(const PlanNote& note) {
    json_.BeginObject();
    Text("place", note.place);
    Text("text", note.text);
    json_.EndObject();
  }

  void WriteOutcome(const PlanOutcome& outcome) {
    if (outcome.written.empty()) {
      json_.Key("written");
      json_.Null();
      Text("reason", outcome.reason);
      return;
    }
    Text("written", outcome.written);
    Count("linked", outcome.linked);
    Count("reflinked", outcome.reflinked);
    Count("copied", outcome.copied);
  }

  JsonText json_;
};

}  // namespace

PlanOutcome NotWritten(std::string reason) {
  PlanOutcome outcome;
  outcome.reason = std::move(reason);
  return outcome;
}

void WriteTextReport(const EditPlan& plan, const PlanOutcome& outcome, std::ostream& out) {
  for (const Edit* edit : plan.edits()) {
    fmt::print(out, "{}: {}: {} -> {}\n    {}: {}\n", edit->place.Text(), edit->field,
               FieldText(edit->old_value), FieldText(edit->new_value), edit->pass, edit->evidence);
  }
  for (const PlanNote& note : plan.notes()) {
    fmt::print(out, "note: {}{}{}\n", note.place, note.place.empty() ? "" : ": ", note.text);
  }
  fmt::print(out, "{}\n", ClosingLine(plan, outcome));
}

void WriteJsonReport(const EditPlan& plan, const PlanOutcome& outcome, std::ostream& out) {
  JsonReport(out).Write(plan, outcome);
}

}  // namespace ckpt
