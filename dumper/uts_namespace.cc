#include "dumper/uts_namespace.h"

#include <sys/utsname.h>

#include <cerrno>

namespace ckpt {

Result<pb::utsns_entry> ReadUtsNamespace() {
  utsname names{};
  if (uname(&names) != 0) return ErrnoError(errno, "uname()");
  pb::utsns_entry entry;
  entry.set_nodename(names.nodename);
  entry.set_domainname(names.domainname);
  return entry;
}

}  // namespace ckpt
