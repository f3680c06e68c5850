// A dump in memory (see packed_dump.h), with another as its parent where the text starts with 'p':
// the dump itself once more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/check/check_dump.h"
#include "formats/image_type.h"
#include "tests/fuzz/packed_dump.h"

namespace ckpt {
namespace {

class MemoryCheckSource : public CheckSource {
 public:
  explicit MemoryCheckSource(const UnpackedDump& dump) : dump_(dump) {
    for (const auto& [name, bytes] : dump.files) names_.push_back(name);
  }

  const std::vector<std::string>& file_names() const override { return names_; }
  Result<ImageFile> Read(const std::string& name) const override {
    const std::optional<ImageName> image = FindImageTypeByFileName(name);
    return ImageFile::Parse(name, image->type, dump_.files.at(name));
  }
  Result<std::string> ReadStart(const std::string& name, size_t limit_bytes) const override {
    return dump_.files.at(name).substr(0, limit_bytes);
  }
  Result<std::optional<uint64_t>> FileSize(const std::string& name) const override {
    return dump_.files.at(name).size();
  }

 private:
  const UnpackedDump& dump_;
  std::vector<std::string> names_;
};

// Every finding is of a rule and says where it is.
void Check(const UnpackedDump& unpacked) {
  const MemoryCheckSource source(unpacked);
  const CheckedDump parent(source);
  const CheckedDump dump(source, unpacked.text.starts_with('p') ? &parent : nullptr);
  const auto findings = CheckDump(dump);
  CKPT_CHECK(findings.has_value());
  for (const CheckFinding& finding : findings.value()) {
    CKPT_CHECK(finding.rule != nullptr && !finding.Text().empty());
  }
}

}  // namespace
}  // namespace ckpt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  ckpt::Check(ckpt::UnpackFuzzInput({reinterpret_cast<const char*>(data), size_bytes}));
  return 0;
}
