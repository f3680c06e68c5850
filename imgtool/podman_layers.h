// The layers of containers/storage, which podman, buildah and CRI-O keep in
// STORAGE/overlay-layers/layers.json: an array of objects with an `id` and, where there is one, a
// `parent`. Those of containers that go when they end are in volatile-layers.json beside it. The
// content of a layer is in STORAGE/overlay/ID/diff. STORAGE/overlay-containers/containers.json and
// volatile-containers.json say which `layer` a container has on top.
#ifndef IMGTOOL_PODMAN_LAYERS_H_
#define IMGTOOL_PODMAN_LAYERS_H_

#include <string>

#include "imgtool/branch_lists.h"

namespace ckpt {

// The union of the layer `wanted` and its parents in `file`, a layers.json: an id, the beginning of
// one, or the id or name of a container. With an empty one that of the only layer that no other
// builds on. Nothing where the file is no such list. kUsage: `wanted` is needed, or is several;
// kNotFound: it is none, or a parent is not there; kUnsupported: the file does not lie in a
// directory overlay-layers, as those of drivers without unions do not.
FoundUnions ReadPodmanLayers(const std::string& file, const std::string& wanted);

}  // namespace ckpt

#endif  // IMGTOOL_PODMAN_LAYERS_H_
