#include "imgtool/explore/diff_report.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <unordered_map>

#include "formats/pagemap.h"
#include "imgtool/octal_text.h"

namespace ckpt {
namespace {

std::string_view Word(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kGone:
      return "gone";
    case ChangeKind::kNew:
      return "new";
    case ChangeKind::kChanged:
      break;
  }
  return "changed";
}

char Sign(ChangeKind kind) {
  return kind == ChangeKind::kGone ? '-' : kind == ChangeKind::kNew ? '+' : '~';
}

constexpr std::string_view kNothing = "-";

std::string_view Shown(const std::string& text) { return text.empty() ? kNothing : text; }

}  // namespace

DiffReport::DiffReport(std::ostream& out, bool is_json)
    : out_(out), is_json_(is_json), json_(out, JsonStyle::kPretty) {
  if (!is_json_) return;
  json_.BeginObject();
  json_.Key("changes");
  json_.BeginArray();
}

void DiffReport::BeginSection(std::string_view name) {
  section_ = name;
  section_shown_ = false;
}

void DiffReport::BeginChange(ChangeKind kind, const std::string& object) {
  ++changes_;
  json_.BeginObject();
  json_.Key("section");
  json_.String(section_);
  json_.Key("object");
  json_.String(object);
  json_.Key("change");
  json_.Name(Word(kind));
}

void DiffReport::Line(const std::string& text) {
  if (!section_shown_) fmt::print(out_, "{}\n", section_);
  section_shown_ = true;
  ++changes_;
  fmt::print(out_, "  {}\n", text);
}

void DiffReport::AddObject(ChangeKind kind, const DumpedObject& object) {
  if (!is_json_) {
    const std::string about = object.about.empty() ? "" : ": " + EscapeOctal(object.about);
    return Line(fmt::format("{} {}{}", Sign(kind), EscapeOctal(object.name), about));
  }
  BeginChange(kind, object.name);
  json_.Key("about");
  json_.String(object.about);
  json_.EndObject();
}

void DiffReport::AddField(const std::string& object, const std::string& field,
                          const std::string& old_text, const std::string& new_text) {
  if (!is_json_) {
    return Line(fmt::format("~ {}: {}: {} -> {}", EscapeOctal(object), field, Shown(old_text),
                            Shown(new_text)));
  }
  BeginChange(ChangeKind::kChanged, object);
  json_.Key("field");
  json_.String(field);
  json_.Key("old");
  old_text.empty() ? json_.Null() : json_.String(old_text);
  json_.Key("new");
  new_text.empty() ? json_.Null() : json_.String(new_text);
  json_.EndObject();
}

void DiffReport::AddPages(ChangeKind kind, const std::string& object, uint64_t start,
                          uint64_t page_count) {
  const uint64_t end = start + page_count * kPageBytes;
  if (!is_json_) {
    return Line(fmt::format("{} {}: {:x}-{:x}, {} page{} {}", Sign(kind), EscapeOctal(object),
                            start, end, page_count, page_count == 1 ? "" : "s", Word(kind)));
  }
  BeginChange(kind, object);
  json_.Key("start");
  json_.Number(start);
  json_.Key("end");
  json_.Number(end);
  json_.Key("pages");
  json_.Number(page_count);
  json_.EndObject();
}

namespace {

// A required field has to be written also where there is nothing to say.
bool IsNothing(std::string_view text) {
  return text.empty() || text == "0" || text == "0x0" || text == "false" || text == "\"\"";
}

void CompareField(const std::string& object, const std::string& path, const std::string& old_text,
                  const std::string& new_text, DiffReport& report) {
  if (old_text == new_text || (IsNothing(old_text) && IsNothing(new_text))) return;
  report.AddField(object, path, old_text, new_text);
}

void CompareFields(const DumpedObject& old_object, const DumpedObject& new_object,
                   DiffReport& report) {
  std::unordered_map<std::string_view, const FieldText*> rest;
  for (const FieldText& field : new_object.fields) rest.emplace(field.path, &field);
  for (const FieldText& field : old_object.fields) {
    const auto found = rest.find(field.path);
    const std::string text = found == rest.end() ? "" : found->second->text;
    CompareField(new_object.name, field.path, field.text, text, report);
    if (found != rest.end()) rest.erase(found);
  }
  for (const FieldText& field : new_object.fields) {
    if (rest.contains(field.path)) {
      CompareField(new_object.name, field.path, "", field.text, report);
    }
  }
}

}  // namespace

void DiffReport::CompareObjects(const Objects& old_objects, const Objects& new_objects) {
  auto next = new_objects.begin();
  for (const auto& [key, object] : old_objects) {
    for (; next != new_objects.end() && next->first < key; ++next) {
      AddObject(ChangeKind::kNew, next->second);
    }
    if (next == new_objects.end() || next->first != key) {
      AddObject(ChangeKind::kGone, object);
      continue;
    }
    CompareFields(object, next->second, *this);
    ++next;
  }
  for (; next != new_objects.end(); ++next) AddObject(ChangeKind::kNew, next->second);
}

void DiffReport::Finish() {
  if (is_json_) {
    json_.EndArray();
    json_.Key("change_count");
    json_.Number(changes_);
    json_.EndObject();
    json_.EndDocument();
    json_.Flush();
  } else if (changes_ == 0) {
    fmt::print(out_, "no difference\n");
  }
  out_.flush();
}

}  // namespace ckpt
