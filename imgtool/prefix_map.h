// OLD=NEW for paths: whole components, the longest OLD first. Used for paths of the tasks, mount
// sources and cgroups.
#ifndef IMGTOOL_PREFIX_MAP_H_
#define IMGTOOL_PREFIX_MAP_H_

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

class PrefixMap {
 public:
  // Each an "OLD=NEW", split at the first "=" that no backslash precedes, or "@FILE" with one in
  // each line, blank ones and those that start with "#" aside. Bytes may be octal escapes, as
  // "\075" for "=". Both are absolute paths where `needs_slash`; slashes at the end and doubled
  // ones do not count. kUsage, naming `option`: anything else, an OLD that comes twice with
  // different NEWs, an OLD equal to its NEW.
  static Result<PrefixMap> Parse(const std::string& option, const std::vector<std::string>& rules,
                                 bool needs_slash = true);

  bool empty() const { return rules_.empty(); }

  // The new path of one that is at or below an OLD, and which rule it was. Nothing for others.
  // Marks the rule as used. Doubled slashes in front of a path do not count; `old_length` is of
  // what is replaced, with them.
  struct Mapped {
    std::string path;
    std::string rule;  // "OLD=NEW"
    size_t old_length = 0;
    size_t new_length = 0;
  };
  std::optional<Mapped> Map(std::string_view path);

  // kNotFound for the first rule, in the order of OLD, that mapped none of what Map() was asked:
  // names up to five of those that come close.
  Result<> CheckAllUsed() const;

 private:
  struct Rule {
    std::string from;
    std::string to;
    bool is_used = false;
  };

  Result<> Add(const std::string& text, bool needs_slash);

  std::string option_;
  std::vector<Rule> rules_;  // the longest OLD first, then by bytes
  std::set<std::string, std::less<>> unmapped_;
};

}  // namespace ckpt

#endif  // IMGTOOL_PREFIX_MAP_H_
