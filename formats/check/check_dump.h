// Can this dump be restored? The table of all rules, and running them.
#ifndef FORMATS_CHECK_CHECK_DUMP_H_
#define FORMATS_CHECK_CHECK_DUMP_H_

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/check/check_rule.h"
#include "formats/check/check_source.h"
#include "formats/check/checked_dump.h"

namespace ckpt {

// All rules, in the order of their findings.
const std::vector<const CheckRule*>& CheckRules();
// Null for an id that no rule has.
const CheckRule* FindCheckRule(std::string_view id);

// What the rules find, all of it, in the order of the table. An error is a failure of the system,
// as a file that may not be read: then the dump was not checked. Takes time and memory in
// proportion to the images; pages are not read.
Result<std::vector<CheckFinding>> CheckDump(const CheckedDump& dump);

// What a change of a dump touches.
struct CheckedChange {
  // "FILES.reg.name" for a field of entries, "FILES" for what is more than a field: entries, files
  // and names of files that are new or gone.
  std::set<std::string> touched;
  // The images that are not the same as before, by their new names; sorted.
  std::vector<std::string> file_names;
};

// Whether a change can change what the rule finds.
bool CanConcern(const CheckRule& rule, const CheckedChange& change);

// The same over a dump that was changed, but only rules that the change can concern.
Result<std::vector<CheckFinding>> CheckChange(const CheckedDump& dump, const CheckedChange& change);

// Whether there is one that is more than a note.
bool HasFindings(const std::vector<CheckFinding>& findings);

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECK_DUMP_H_
