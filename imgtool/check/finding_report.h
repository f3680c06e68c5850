// What a check found, for people and for programs.
#ifndef IMGTOOL_CHECK_FINDING_REPORT_H_
#define IMGTOOL_CHECK_FINDING_REPORT_H_

#include <ostream>
#include <vector>

#include "formats/check/check_rule.h"

namespace ckpt {

// A paragraph for each rule that found something, errors first, and a line with the counts. Bytes
// that are not printable ASCII are octal escapes.
void WriteFindings(const std::vector<CheckFinding>& findings, std::ostream& out);

// One object: findings, each with rule, severity, image, entry (a number or null), field, found,
// expected; errors, warnings, notes, which are counts.
void WriteJsonFindings(const std::vector<CheckFinding>& findings, std::ostream& out);

// The table of all rules, as documentation has it: Markdown.
void WriteRules(std::ostream& out);
void WriteJsonRules(std::ostream& out);

}  // namespace ckpt

#endif  // IMGTOOL_CHECK_FINDING_REPORT_H_
