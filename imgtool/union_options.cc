#include "imgtool/union_options.h"

#include <algorithm>
#include <array>

namespace ckpt {

namespace {

// AUFS says its branches as "br:...", everything else is "key=value".
constexpr std::array<std::string_view, 10> kHostKeys{
    "si",       "br",        "dirs",     "xino",     "trunc_xino_path",
    "lowerdir", "lowerdir+", "datadir+", "upperdir", "workdir"};

size_t OptionEnd(std::string_view options) {
  for (size_t at = 0; at < options.size(); ++at) {
    if (options[at] == '\\') {
      ++at;
    } else if (options[at] == ',') {
      return at;
    }
  }
  return options.size();
}

// "" for an option without a value.
std::string_view KeyOf(std::string_view option) {
  const size_t end = option.find_first_of("=:");
  return end == std::string_view::npos ? std::string_view() : option.substr(0, end);
}

}  // namespace

KeptOptions DropHostOptions(std::string_view options) {
  KeptOptions kept;
  bool first = true;
  while (!options.empty()) {
    const std::string_view option = options.substr(0, OptionEnd(options));
    options.remove_prefix(std::min(option.size() + 1, options.size()));
    const std::string_view key = KeyOf(option);
    if (std::ranges::find(kHostKeys, key) != kHostKeys.end()) {
      kept.dropped.emplace_back(key);
      continue;
    }
    if (!first) kept.options += ',';
    kept.options += option;
    first = false;
  }
  return kept;
}

}  // namespace ckpt
