#include "imgtool/plan_report.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/json_text.h"
#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

// What a plan changes beside fields.
struct OtherChange {
  std::string image;
  std::string what;
  const std::string* pass;
  const std::string* evidence;
};

std::string ContentText(const NewFile& file) {
  std::string text = fmt::format("{} bytes", file.content.bytes.size());
  if (!file.content.source.empty()) {
    text += fmt::format(" and the content of {}", EscapeOctal(file.content.source));
  }
  if (file.content.hole_bytes > 0) text += fmt::format(" and {} zeros", file.content.hole_bytes);
  return fmt::format("{}: {}", file.replaces ? "new content" : "a new file", text);
}

std::vector<OtherChange> OtherChanges(const EditPlan& plan) {
  std::vector<OtherChange> changes;
  for (const Move* move : plan.moves()) {
    changes.push_back({move->place.image,
                       fmt::format("entry {}: {} becomes the last of {}", move->place.entry,
                                   move->from, move->to),
                       &move->pass, &move->evidence});
  }
  for (const NewEntry* entry : plan.new_entries()) {
    changes.push_back({entry->image, "a new entry", &entry->pass, &entry->evidence});
  }
  for (const auto& [name, file] : plan.new_files()) {
    changes.push_back({name, ContentText(file), &file.pass, &file.evidence});
  }
  for (const auto& [from, rename] : plan.renames()) {
    changes.push_back({from, "renamed to " + rename.to, &rename.pass, &rename.evidence});
  }
  for (const auto& [image, erasure] : plan.erasures()) {
    changes.push_back({image, "payloads become zeros", &erasure.pass, &erasure.evidence});
  }
  return changes;
}

std::string Counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

size_t ImageCount(const EditPlan& plan) {
  std::set<std::string_view> images;
  for (const Edit* edit : plan.edits()) images.insert(edit->place.image);
  const std::vector<OtherChange> others = OtherChanges(plan);
  for (const OtherChange& change : others) images.insert(change.image);
  return images.size();
}

size_t ChangeCount(const EditPlan& plan) {
  return plan.edits().size() + plan.moves().size() + plan.new_entries().size() +
         plan.new_files().size() + plan.renames().size() + plan.erasures().size();
}

std::string Placements(const PlanOutcome& outcome) {
  if (outcome.is_archive) return Counted(outcome.copied, "member") + " as before";
  std::string text = Counted(outcome.linked, "file") + " hard-linked";
  if (outcome.reflinked > 0) text += fmt::format(", {} reflinked", outcome.reflinked);
  if (outcome.copied > 0) text += fmt::format(", {} copied", outcome.copied);
  return text;
}

std::string ClosingLine(const EditPlan& plan, const PlanOutcome& outcome) {
  const std::string changes = plan.empty()
                                  ? "nothing to do"
                                  : fmt::format("{} in {}", Counted(ChangeCount(plan), "change"),
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
    WriteOthers(OtherChanges(plan));
    json_.Key("notes");
    json_.BeginArray();
    for (const PlanNote& note : plan.notes()) WriteNote(note);
    for (const PlanNote& note : outcome.notes) WriteNote(note);
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
    } else if (const auto* numbers = std::get_if<FieldNumbers>(&value)) {
      json_.BeginArray();
      for (const int64_t element : *numbers) json_.Number(element);
      json_.EndArray();
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

  void WriteOthers(const std::vector<OtherChange>& changes) {
    if (changes.empty()) return;
    json_.Key("changes");
    json_.BeginArray();
    for (const OtherChange& change : changes) {
      json_.BeginObject();
      Text("image", change.image);
      Text("change", change.what);
      Text("pass", *change.pass);
      Text("evidence", *change.evidence);
      json_.EndObject();
    }
    json_.EndArray();
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
  for (const OtherChange& change : OtherChanges(plan)) {
    fmt::print(out, "{}: {}\n    {}: {}\n", change.image, change.what, *change.pass,
               *change.evidence);
  }
  for (const auto* notes : {&plan.notes(), &outcome.notes}) {
    for (const PlanNote& note : *notes) {
      fmt::print(out, "note: {}{}{}\n", note.place, note.place.empty() ? "" : ": ", note.text);
    }
  }
  fmt::print(out, "{}\n", ClosingLine(plan, outcome));
}

void WriteJsonReport(const EditPlan& plan, const PlanOutcome& outcome, std::ostream& out) {
  JsonReport(out).Write(plan, outcome);
}

}  // namespace ckpt
