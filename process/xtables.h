// The packet filters of iptables, ip6tables and arptables in their first form, before nftables.
#ifndef PROCESS_XTABLES_H_
#define PROCESS_XTABLES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

// What the kernel says of a table (struct ipt_getinfo; of arptables with fewer hooks).
struct XtablesInfo {
  uint32_t valid_hooks = 0;          // a bit each
  std::vector<uint32_t> hook_entry;  // where the rules of a hook begin in the table's bytes
  std::vector<uint32_t> underflow;   // where its policy is
  uint32_t entry_count = 0;
  uint32_t size_bytes = 0;
};

// `hook_count` is 5, or 3 of arptables. Nothing where the bytes are too few.
std::optional<XtablesInfo> ParseXtablesInfo(Bytes bytes, size_t hook_count);

// Whether a table is as the kernel makes it, with no rule or chain of somebody and every policy
// ACCEPT. `target_offset_at` is where an entry says where its target is (struct ipt_entry).
bool IsUnchanged(const XtablesInfo& info, Bytes entries, size_t target_offset_at);

// The tables of the calling thread's network namespace that somebody has changed: "iptables table
// nat". `proc` is an instance of procfs. A kernel without such tables has none.
Result<std::vector<std::string>> ListChangedXtables(const std::string& proc);

}  // namespace ckpt

#endif  // PROCESS_XTABLES_H_
