#include "imgtool/check/checked_chain.h"

#include <utility>

#include "formats/dump_directory.h"

namespace ckpt {

Result<CheckedChain> CheckedChain::Open(const std::string& directory) {
  std::vector<std::string> paths{directory};
  std::string problem;
  auto chain = OpenDumpChain(directory);
  if (chain.has_error()) {
    problem = std::move(chain).error().message;
  } else {
    for (size_t i = 1; i < chain.value().size(); ++i) paths.push_back(chain.value()[i].path());
  }
  CheckedChain checked;
  checked.layers_.resize(paths.size());
  for (size_t i = paths.size(); i-- > 0;) {
    CKPT_TRY(auto source, DirectoryCheckSource::Open(paths[i]));
    checked.layers_[i].source = std::make_unique<DirectoryCheckSource>(std::move(source));
    const CheckedDump* parent = i + 1 < paths.size() ? checked.layers_[i + 1].dump.get() : nullptr;
    checked.layers_[i].dump =
        std::make_unique<CheckedDump>(*checked.layers_[i].source, parent, i == 0 ? problem : "");
  }
  return checked;
}

}  // namespace ckpt
