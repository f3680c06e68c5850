// What a user wants rewritten, from the options of `imgtool rewrite`.
#ifndef IMGTOOL_REWRITE_RULES_H_
#define IMGTOOL_REWRITE_RULES_H_

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "imgtool/prefix_map.h"

namespace ckpt {

struct RewriteRules {
  PrefixMap paths;
  PrefixMap mounts;
  PrefixMap cgroups;
  std::map<std::string, std::string> external_mounts;  // mountpoint to key
  std::optional<std::string> restat;                   // a directory: the tasks' "/"
  std::map<uint32_t, uint32_t> ports;
  std::map<std::string, std::string> addresses;  // 4 or 16 bytes in network order
  std::optional<std::string> hostname;
  int64_t uid_shift = 0;
  bool anonymise = false;

  // Nothing is asked for.
  bool empty() const;
};

void AddRewriteRuleOptions(boost::program_options::options_description& options);

// kUsage where an option is not what it has to be, or two of a kind contradict each other.
Result<RewriteRules> ReadRewriteRules(const boost::program_options::variables_map& given);

// "10.0.0.1" of 4 bytes in network order, and the like of 16.
std::string AddressText(const std::string& address);

}  // namespace ckpt

#endif  // IMGTOOL_REWRITE_RULES_H_
