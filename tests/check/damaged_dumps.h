// What `imgtool check` must find in dumps of real programs: nothing; and in the same dumps damaged
// in each way that a rule names, what that rule names.
#ifndef TESTS_CHECK_DAMAGED_DUMPS_H_
#define TESTS_CHECK_DAMAGED_DUMPS_H_

#include <set>
#include <string>

namespace ckpt {

// Adds a failure for everything but notes that a check of the directory finds.
void ExpectNothingFound(const std::string& directory);

// Damages a copy of the dump in every way of formats/check/check_damages.h that it has something
// for, and adds a failure where the rule does not name it, or another rule names more than what
// follows from it. Adds the rules that were tried to `tried`.
void ExpectDamagesNamed(const std::string& directory, std::set<std::string>& tried);

}  // namespace ckpt

#endif  // TESTS_CHECK_DAMAGED_DUMPS_H_
