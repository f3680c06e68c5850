// The host paths in JSON files beside images, config.dump and spec.dump: values of members that are
// called "source", as runtimes describe mounts.
#ifndef IMGTOOL_JSON_SOURCES_H_
#define IMGTOOL_JSON_SOURCES_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

using SourceChange = std::function<std::optional<std::string>(std::string_view source)>;

struct ChangedSources {
  std::string text;
  size_t count = 0;
};

// The text with the string values of all members called "source", in any case, changed; all other
// bytes stay as they are. kBadFormat: no JSON, with the offset.
Result<ChangedSources> ChangeJsonSources(std::string_view text, const SourceChange& change);

}  // namespace ckpt

#endif  // IMGTOOL_JSON_SOURCES_H_
