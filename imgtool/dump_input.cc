#include "imgtool/dump_input.h"

#include "formats/image_type.h"

namespace ckpt {

bool NeedsAllFiles(std::string_view) { return true; }

bool NeedsImagesWithEntries(std::string_view file_name) {
  const auto image = FindImageTypeByFileName(file_name);
  return image && GetImageType(image->type).framing != ImageFraming::kRaw;
}

Result<DumpInput> DumpInput::Open(const std::string& operand, const Invocation&, FileNeed) {
  CKPT_TRY(const DumpDirectory dump, DumpDirectory::Open(operand));
  return DumpInput(operand, dump.path());
}

void AddInputOptions(boost::program_options::options_description& options) {
  AddArchiveLimitOptions(options);
}

}  // namespace ckpt
