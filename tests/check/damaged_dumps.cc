#include "tests/check/damaged_dumps.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "formats/check/check_damages.h"
#include "formats/check/check_dump.h"

namespace ckpt {

namespace {

std::vector<CheckFinding> FindingsOf(const CheckSource& source) {
  const CheckedDump dump(source);
  auto findings = CheckDump(dump);
  EXPECT_TRUE(findings.has_value()) << findings.error().message;
  return findings.value();
}

std::string TextOf(const std::vector<CheckFinding>& findings) {
  std::string text;
  for (const CheckFinding& finding : findings) {
    text += fmt::format("  {}: {}\n", finding.rule->id, finding.Text());
  }
  return text;
}

MemoryDump ReadDump(const std::string& directory) {
  MemoryDump dump;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    dump.Set(entry.path().filename().string(), ReadWholeFile(entry.path().string()).value());
  }
  return dump;
}

// `before` are the notes of the dump without damage.
void ExpectNamed(const CheckDamage& damage, const SampleContainer& damaged,
                 const std::vector<CheckFinding>& before, const std::string& directory) {
  auto findings = FindingsOf(damaged.dump);
  std::erase_if(findings, [&](const CheckFinding& finding) {
    return std::ranges::find(before, finding) != before.end();
  });
  const auto is_named = [&](const CheckFinding& finding) {
    return finding.rule->id == damage.rule;
  };
  EXPECT_TRUE(std::ranges::any_of(findings, is_named))
      << directory << ": " << damage.rule << " was not found:\n"
      << TextOf(findings);
  const auto is_other = [&](const CheckFinding& finding) {
    return !is_named(finding) &&
           std::ranges::find(damage.also, finding.rule->id) == damage.also.end();
  };
  EXPECT_FALSE(std::ranges::any_of(findings, is_other)) << directory << ": " << damage.rule << ":\n"
                                                        << TextOf(findings);
}

}  // namespace

void ExpectNothingFound(const std::string& directory) {
  const auto source = DirectoryCheckSource::Open(directory);
  ASSERT_TRUE(source.has_value()) << source.error().message;
  const auto findings = FindingsOf(source.value());
  EXPECT_FALSE(HasFindings(findings)) << directory << ":\n" << TextOf(findings);
}

void ExpectDamagesNamed(const std::string& directory, std::set<std::string>& tried) {
  const SampleContainer whole{ReadDump(directory), {}};
  const auto before = FindingsOf(whole.dump);
  for (const CheckDamage& damage : CheckDamages()) {
    SampleContainer damaged = whole;
    // Ways that leave the dump itself as it is are for its parents.
    if (!damage.make(damaged) || damaged.dump.files() == whole.dump.files()) continue;
    tried.emplace(damage.rule);
    ExpectNamed(damage, damaged, before, directory);
  }
}

}  // namespace ckpt
