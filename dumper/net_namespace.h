// What is in a network namespace: for now, its loopback device and its sysctls.
#ifndef DUMPER_NET_NAMESPACE_H_
#define DUMPER_NET_NAMESPACE_H_

#include <string>

#include "base/result.h"
#include "dumper/refusals.h"
#include "formats/proto/network.pb.h"

namespace ckpt {

struct NetNamespace {
  pb::netns_entry sysctls;
  pb::net_device_entry loopback;
  std::string addresses;  // as `ip address save` writes them: ifaddr-N.img
};

// Of the calling thread. Other devices, and routes, routing rules and packet filters that somebody
// added or changed, are refused.
// `proc` is an instance of procfs.
Result<NetNamespace> ReadNetNamespace(const std::string& proc, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_NET_NAMESPACE_H_
