// The passes of `imgtool rewrite` about ports and addresses.
#ifndef IMGTOOL_NETWORK_PASSES_H_
#define IMGTOOL_NETWORK_PASSES_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct RewriteContext;

// --port: both ends of TCP, UDP and UDPLITE sockets. kNotFound names the ports that there are.
Result<> RenamePorts(RewriteContext& context, EditPlan& plan);
// --ip: both ends of sockets; addresses and routes of network namespaces. Firewall rules are noted,
// not changed. kNotFound names the addresses that sockets have.
Result<> RenameAddresses(RewriteContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_NETWORK_PASSES_H_
