// The names in a UTS namespace.
#ifndef DUMPER_UTS_NAMESPACE_H_
#define DUMPER_UTS_NAMESPACE_H_

#include "base/result.h"
#include "formats/proto/namespaces.pb.h"

namespace ckpt {

// Of the calling thread.
Result<pb::utsns_entry> ReadUtsNamespace();

}  // namespace ckpt

#endif  // DUMPER_UTS_NAMESPACE_H_
