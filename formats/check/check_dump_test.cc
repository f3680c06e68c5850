#include "formats/check/check_dump.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "formats/check/check_damages.h"
#include "formats/proto/files.pb.h"

namespace ckpt {
namespace {

using testing::IsEmpty;

// Rules whose damage is no change of the dump's own files; they have tests of their own below.
const std::set<std::string_view> kElsewhere = {"parent-missing", "parent-link"};

std::vector<CheckFinding> FindingsOf(const SampleContainer& sample) {
  const CheckedDump parent(sample.parent);
  const CheckedDump dump(sample.dump, &parent);
  const auto findings = CheckDump(dump);
  EXPECT_TRUE(findings.has_value());
  return findings.has_value() ? findings.value() : std::vector<CheckFinding>();
}

std::set<std::string_view> RulesOf(const std::vector<CheckFinding>& findings) {
  std::set<std::string_view> rules;
  for (const CheckFinding& finding : findings) rules.insert(finding.rule->id);
  return rules;
}

std::string TextOf(const std::vector<CheckFinding>& findings) {
  std::string text;
  for (const CheckFinding& finding : findings) {
    text += fmt::format("{}: {}\n", finding.rule->id, finding.Text());
  }
  return text;
}

TEST(CheckDump, FindsNothingInADumpWithoutAFault) {
  EXPECT_THAT(TextOf(FindingsOf(MakeSampleContainer())), IsEmpty());
}

TEST(CheckDump, NamesEachDamageByItsRuleAndNothingElseBut) {
  for (const CheckDamage& damage : CheckDamages()) {
    SampleContainer sample = MakeSampleContainer();
    ASSERT_TRUE(damage.make(sample)) << damage.rule;
    const auto findings = FindingsOf(sample);
    std::set<std::string_view> rules = RulesOf(findings);
    EXPECT_TRUE(rules.erase(damage.rule) == 1) << damage.rule << " was not found:\n"
                                               << TextOf(findings);
    for (const std::string_view also : damage.also) rules.erase(also);
    EXPECT_THAT(rules, IsEmpty()) << damage.rule << ":\n" << TextOf(findings);
  }
}

TEST(EachCheckRule, HasADamageThatItNames) {
  std::set<std::string_view> damages = kElsewhere;
  for (const CheckDamage& damage : CheckDamages()) damages.insert(damage.rule);
  for (const CheckRule* rule : CheckRules()) {
    EXPECT_TRUE(damages.contains(rule->id)) << rule->id;
    EXPECT_EQ(FindCheckRule(rule->id), rule) << "its id occurs twice: " << rule->id;
    EXPECT_NE(rule->doc, "");
  }
}

TEST(EachCheckRule, ReadsTypesThatThereAre) {
  for (const CheckRule* rule : CheckRules()) {
    std::string_view rest = rule->reads;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      if (word == "*") continue;
      EXPECT_TRUE(FindImageTypeByName(word.substr(0, word.find('.')))) << rule->id << ": " << word;
    }
  }
}

TEST(CheckDump, TellsOfAParentThatIsNotThere) {
  const SampleContainer sample = MakeSampleContainer();
  const CheckedDump dump(sample.dump);
  EXPECT_EQ(RulesOf(CheckDump(dump).value()), std::set<std::string_view>{"parent-missing"});
}

TEST(CheckDump, TellsOfAParentThatCannotBeOpened) {
  const SampleContainer sample = MakeSampleContainer();
  const CheckedDump parent(sample.parent);
  const CheckedDump dump(sample.dump, &parent, "leads in a circle");
  const auto findings = CheckDump(dump).value();
  EXPECT_EQ(TextOf(findings),
            "parent-link: parent: leads in a circle, expected a relative link to a dump\n");
}

TEST(CheckDump, SaysImageEntryFieldAndWhatWasExpected) {
  SampleContainer sample = MakeSampleContainer();
  sample.dump.Edit<pb::fdinfo_entry>(ImageType::kFdinfo, [](pb::fdinfo_entry& fd) {
    if (fd.fd() != 15) return false;
    fd.set_id(4711);
    return true;
  });
  EXPECT_EQ(TextOf(FindingsOf(sample)),
            "fd-file: fdinfo-1.img: entry 11: id: 4711, of descriptor 15, expected a file of "
            "files.img\n"
            "file-unused: files.img: entry 15: id: 15, a file of type TIMERFD that nothing refers "
            "to, expected a descriptor, mapping or directory for each file\n");
}

// What a rewrite relies on: where a change is said to touch only what differs, no rule is left out
// that would have found it.
TEST(CheckChange, FindsWhatAWholeCheckFinds) {
  for (const CheckDamage& damage : CheckDamages()) {
    const SampleContainer whole = MakeSampleContainer();
    SampleContainer sample = MakeSampleContainer();
    ASSERT_TRUE(damage.make(sample));
    CheckedChange change;
    std::set<std::string> names;
    for (const MemoryDump* dump :
         std::initializer_list<const MemoryDump*>{&whole.dump, &sample.dump}) {
      for (const auto& [name, bytes] : dump->files()) {
        const auto other = dump == &whole.dump ? &sample.dump : &whole.dump;
        if (other->Has(name) && other->files().at(name) == bytes) continue;
        const auto image = FindImageTypeByFileName(name);
        if (image) change.touched.insert(std::string(GetImageType(image->type).name));
        names.insert(name);
      }
    }
    change.file_names.assign(names.begin(), names.end());
    const CheckedDump parent(sample.parent);
    const CheckedDump dump(sample.dump, &parent);
    if (sample.parent.files() != whole.parent.files()) continue;
    EXPECT_EQ(TextOf(CheckChange(dump, change).value()), TextOf(CheckDump(dump).value()))
        << damage.rule;
  }
}

TEST(CheckChange, LeavesRulesOutThatReadNothingOfIt) {
  const CheckedChange change{{"FILES.reg.name"}, {"files.img"}};
  EXPECT_TRUE(CanConcern(*FindCheckRule("file-path"), change));
  EXPECT_TRUE(CanConcern(*FindCheckRule("unknown-field"), change));
  EXPECT_FALSE(CanConcern(*FindCheckRule("fd-file"), change));
  EXPECT_FALSE(CanConcern(*FindCheckRule("vma-order"), change));
  // A field stands for all that is inside, and for what it is inside of.
  EXPECT_TRUE(CanConcern(*FindCheckRule("file-path"), {{"FILES.reg"}, {}}));
  EXPECT_TRUE(CanConcern(*FindCheckRule("watch-mount"), {{"FILES.ify.wd.f_handle.mnt_id"}, {}}));
  EXPECT_FALSE(CanConcern(*FindCheckRule("file-path"), {{"FILES.reg.name_dir"}, {}}));
  // In older dumps files have images of their own.
  EXPECT_TRUE(CanConcern(*FindCheckRule("fd-file"), {{"PIPES"}, {}}));
}

}  // namespace
}  // namespace ckpt
