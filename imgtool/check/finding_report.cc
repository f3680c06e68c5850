#include "imgtool/check/finding_report.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "formats/check/check_dump.h"
#include "formats/json_text.h"
#include "imgtool/check/root_check.h"
#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

constexpr std::array kSeverities = {CheckSeverity::kError, CheckSeverity::kWarning,
                                    CheckSeverity::kNote};

size_t CountOf(const std::vector<CheckFinding>& findings, CheckSeverity severity) {
  return static_cast<size_t>(std::ranges::count_if(
      findings, [&](const CheckFinding& finding) { return finding.rule->severity == severity; }));
}

std::string Counted(size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::vector<const CheckRule*> AllRules() {
  std::vector<const CheckRule*> rules = CheckRules();
  for (const CheckRule& rule : RootRules()) rules.push_back(&rule);
  return rules;
}

void WriteFinding(const CheckFinding& finding, JsonText& text) {
  text.BeginObject();
  text.Key("rule");
  text.Name(finding.rule->id);
  text.Key("severity");
  text.Name(Name(finding.rule->severity));
  text.Key("image");
  text.String(finding.image);
  text.Key("entry");
  if (finding.entry) {
    text.Number(*finding.entry);
  } else {
    text.Null();
  }
  text.Key("field");
  text.String(finding.field);
  text.Key("found");
  text.String(finding.found);
  text.Key("expected");
  text.String(finding.expected);
  text.EndObject();
}

}  // namespace

void WriteFindings(const std::vector<CheckFinding>& findings, std::ostream& out) {
  std::map<const CheckRule*, size_t> order;
  for (const CheckRule* rule : AllRules()) order.emplace(rule, order.size());
  std::vector<const CheckFinding*> sorted;
  for (const CheckFinding& finding : findings) sorted.push_back(&finding);
  std::ranges::stable_sort(sorted, {}, [&](const CheckFinding* finding) {
    return std::pair(finding->rule->severity, order[finding->rule]);
  });
  const CheckRule* rule = nullptr;
  for (const CheckFinding* finding : sorted) {
    if (finding->rule != rule) {
      rule = finding->rule;
      fmt::print(out, "{} {}: not so: {}\n", Name(rule->severity), rule->id, rule->doc);
    }
    fmt::print(out, "  {}\n", EscapeOctal(finding->Text()));
  }
  fmt::print(out, "{}, {}, {}\n", Counted(CountOf(findings, CheckSeverity::kError), "error"),
             Counted(CountOf(findings, CheckSeverity::kWarning), "warning"),
             Counted(CountOf(findings, CheckSeverity::kNote), "note"));
}

void WriteJsonFindings(const std::vector<CheckFinding>& findings, std::ostream& out) {
  JsonText text(out, JsonStyle::kPretty);
  text.BeginObject();
  text.Key("findings");
  text.BeginArray();
  for (const CheckFinding& finding : findings) WriteFinding(finding, text);
  text.EndArray();
  for (const CheckSeverity severity : kSeverities) {
    text.Key(std::string(Name(severity)) + "s");
    text.Number(CountOf(findings, severity));
  }
  text.EndObject();
  text.EndDocument();
  text.Flush();
}

void WriteRules(std::ostream& out) {
  fmt::print(out, "| rule | severity | demands |\n|---|---|---|\n");
  for (const CheckRule* rule : AllRules()) {
    fmt::print(out, "| `{}` | {} | {} |\n", rule->id, Name(rule->severity), rule->doc);
  }
}

void WriteJsonRules(std::ostream& out) {
  JsonText text(out, JsonStyle::kPretty);
  text.BeginArray();
  for (const CheckRule* rule : AllRules()) {
    text.BeginObject();
    text.Key("rule");
    text.Name(rule->id);
    text.Key("severity");
    text.Name(Name(rule->severity));
    text.Key("demands");
    text.String(rule->doc);
    text.EndObject();
  }
  text.EndArray();
  text.EndDocument();
  text.Flush();
}

}  // namespace ckpt
