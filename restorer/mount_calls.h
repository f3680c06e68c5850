// The system calls of the mount API, with errors that name the mount they were made for.
#ifndef RESTORER_MOUNT_CALLS_H_
#define RESTORER_MOUNT_CALLS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

// All of these take the place that a mount has in its image for the message. An empty path is what
// the descriptor itself is open on.

// A file below `directory`, by a path that leads over no other mount, no symbolic link and not
// upwards; only for its place (O_PATH).
Result<UniqueFd> OpenOnMount(std::string_view place, int directory, const std::string& path);

// A mount of what `file` is open on, attached nowhere yet.
Result<UniqueFd> CloneMount(std::string_view place, int file);

// Attaches a mount on top of what is at `file`.
Result<> AttachMount(std::string_view place, int mount, int file);

// Gives a mount the attributes (MOUNT_ATTR_*) in place of those it has, and the propagation (MS_*),
// which stays as it is when it is 0.
Result<> SetMount(std::string_view place, int mount, uint64_t attributes, uint64_t propagation);

// The propagation alone.
Result<> SetPropagation(std::string_view place, int mount, uint64_t propagation);

// Makes `mount`, a private one, a peer of `other` and a slave of what that is a slave of. Needs
// Linux 5.15.
Result<> JoinPeers(std::string_view place, int mount, int other);

}  // namespace ckpt

#endif  // RESTORER_MOUNT_CALLS_H_
