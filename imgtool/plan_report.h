// A plan as its user reads it, and as programs do.
#ifndef IMGTOOL_PLAN_REPORT_H_
#define IMGTOOL_PLAN_REPORT_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "imgtool/edit_plan.h"

namespace ckpt {

// What became of a plan.
struct PlanOutcome {
  std::string written;  // the directory that was made or changed; empty when nothing was written
  std::string reason;   // why nothing was written: "--dry-run"
  bool is_archive = false;  // then `copied` counts the members that were not edited
  size_t linked = 0;        // images that were not edited and are hard links
  size_t reflinked = 0;
  size_t copied = 0;
  std::vector<PlanNote> notes;  // what the check before the commit saw and did not refuse
};

PlanOutcome NotWritten(std::string reason);

// Two lines for each edit (place, field, old, new; pass and evidence), new entry, new file and new
// name, one for each note, and a closing line. Bytes that are not printable ASCII are octal
// escapes.
void WriteTextReport(const EditPlan& plan, const PlanOutcome& outcome, std::ostream& out);

// One object: edits (image, entry, field, old, new, pass, evidence; an absent value is null),
// changes (image, change in words, pass, evidence) for all else, where there is any, notes (place,
// text), written (a path or null), reason, linked, reflinked, copied. Bytes that are
// not UTF-8 are spelt as JsonText::String() tells.
void WriteJsonReport(const EditPlan& plan, const PlanOutcome& outcome, std::ostream& out);

}  // namespace ckpt

#endif  // IMGTOOL_PLAN_REPORT_H_
