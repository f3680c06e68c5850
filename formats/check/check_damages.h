// For tests: the ways to damage a dump that rules of a check name, one or more for each rule.
#ifndef FORMATS_CHECK_CHECK_DAMAGES_H_
#define FORMATS_CHECK_CHECK_DAMAGES_H_

#include <functional>
#include <string_view>
#include <vector>

#include "formats/check/sample_container.h"

namespace ckpt {

struct CheckDamage {
  std::string_view rule;  // that names it
  // Damages the dump; false where it has nothing that can be damaged like that.
  std::function<bool(SampleContainer&)> make;
  // Other rules that rightly name a consequence of it.
  std::vector<std::string_view> also = {};
};

const std::vector<CheckDamage>& CheckDamages();

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECK_DAMAGES_H_
