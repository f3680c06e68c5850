// What lets packets through, changes or protects them in a network namespace.
#ifndef PROCESS_PACKET_RULES_H_
#define PROCESS_PACKET_RULES_H_

#include <string>
#include <vector>

#include "base/result.h"

namespace ckpt {

// Of the calling thread's network namespace, what somebody has put there: "nftables table inet
// filter", "iptables table nat", "IPsec policies". Nothing of what this kernel does not have.
// `proc` is an instance of procfs.
Result<std::vector<std::string>> ListPacketRules(const std::string& proc);

}  // namespace ckpt

#endif  // PROCESS_PACKET_RULES_H_
