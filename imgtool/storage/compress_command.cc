#include "imgtool/storage/compress_command.h"

#include <fmt/ostream.h>
#include <sys/stat.h>

#include <boost/program_options/value_semantic.hpp>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "formats/dump_directory.h"
#include "formats/page_compression.h"
#include "formats/pages_image.h"
#include "imgtool/dump_changes.h"
#include "imgtool/dump_input.h"
#include "imgtool/dump_lock.h"
#include "imgtool/dump_transaction.h"
#include "imgtool/storage/compression_options.h"
#include "imgtool/storage/inventory_mark.h"
#include "imgtool/storage/staged_dump.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

// A pages image that becomes one of the other form.
struct Conversion {
  std::string old_name;
  std::string new_name;
  std::unique_ptr<PagesImage> pages;
};

struct Direction {
  PagesForm to;
  ImageType from_type;
  ImageType to_type;
  const char* progress;  // what is shown on a terminal
  const char* done;
};
constexpr Direction kCompress = {PagesForm::kZstd, ImageType::kPages, ImageType::kPagesZstd,
                                 "compressing pages", "compressed"};
constexpr Direction kDecompress = {PagesForm::kPlain, ImageType::kPagesZstd, ImageType::kPages,
                                   "decompressing pages", "decompressed"};

void AddOutputOption(po::options_description& options) {
  options.add_options()("output,o", po::value<std::string>()->value_name("OUT"),
                        "write the dump to this new directory instead of changing DUMP");
  AddInputOptions(options);
}

Result<std::optional<std::string>> OutOf(const Invocation& invocation) {
  if (invocation.options.count("output") > 0) {
    return std::optional(invocation.options["output"].as<std::string>());
  }
  const std::string& dump = invocation.operands[0];
  struct stat status {};
  const bool is_there = stat(dump.c_str(), &status) == 0;
  if (is_there && !S_ISDIR(status.st_mode)) {
    return MakeError(ErrorCode::kUsage,
                     "{}: only a directory can be changed in its place; give -o OUT", dump);
  }
  return std::optional<std::string>();
}

// Nobody may change meanwhile what is read.
Result<std::optional<DumpLock>> LockToReplace(const std::string& dump,
                                              const std::optional<std::string>& out) {
  if (out) return std::optional<DumpLock>();
  CKPT_TRY(const std::string real_dump, RealPath(dump));
  CKPT_TRY(DumpLock lock, DumpLock::Take(real_dump));
  return std::optional<DumpLock>(std::move(lock));
}

Result<std::vector<Conversion>> FindImages(const DumpDirectory& dump, const Direction& direction) {
  std::vector<Conversion> conversions;
  for (const DumpImage& image : dump.images()) {
    if (image.image.type != direction.from_type) continue;
    const uint64_t id = image.image.id;
    if (dump.Has(direction.to_type, id)) {
      return MakeError(ErrorCode::kBadFormat, "{}: the dump has {} as well, one of them is allowed",
                       dump.PathOf(direction.from_type, id), ImageFileName(direction.to_type, id));
    }
    CKPT_TRY(PagesImage pages, PagesImage::Open(dump, static_cast<uint32_t>(id)));
    conversions.push_back({image.file_name, ImageFileName(direction.to_type, id),
                           std::make_unique<PagesImage>(std::move(pages))});
  }
  return conversions;
}

DumpChanges ChangesOf(std::string inventory, const std::vector<Conversion>& conversions) {
  DumpChanges changes;
  changes.edited[ImageFileName(ImageType::kInventory)].bytes = std::move(inventory);
  for (const Conversion& conversion : conversions) {
    changes.edited[conversion.old_name] = {};
    changes.renames[conversion.old_name] = conversion.new_name;
  }
  return changes;
}

Result<> Convert(const StagedDump& staged, const std::vector<Conversion>& conversions,
                 const Direction& direction, const CompressionOptions& options) {
  std::vector<UniqueFd> files;
  std::vector<PagesToWrite> to_write;
  for (const Conversion& conversion : conversions) {
    CKPT_TRY(UniqueFd file, staged.OpenFile(conversion.new_name));
    to_write.push_back(PagesOf(*conversion.pages, file.get(), staged.PathOf(conversion.new_name)));
    files.push_back(std::move(file));
  }
  if (direction.to == PagesForm::kZstd) {
    CKPT_TRY(CompressPages(to_write, options));
  } else {
    CKPT_TRY(WritePages(to_write, options));
  }
  for (size_t i = 0; i < files.size(); ++i) {
    CKPT_TRY(staged.FinishFile(files[i], conversions[i].new_name, conversions[i].old_name));
  }
  return success();
}

uint64_t FileBytes(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

void Report(const Invocation& invocation, const std::vector<Conversion>& conversions,
            const Direction& direction, const std::optional<std::string>& out) {
  const std::string& written = out ? *out : invocation.operands[0];
  uint64_t old_bytes = 0;
  uint64_t new_bytes = 0;
  for (const Conversion& conversion : conversions) {
    old_bytes += conversion.pages->file_bytes();
    new_bytes += FileBytes(written + "/" + conversion.new_name);
  }
  fmt::print(invocation.streams.out, "{}: {} pages images {}, {} -> {} bytes", written,
             conversions.size(), direction.done, old_bytes, new_bytes);
  if (old_bytes != 0) {
    fmt::print(invocation.streams.out, " ({:.1f} %)",
               100.0 * static_cast<double>(new_bytes) / static_cast<double>(old_bytes));
  }
  fmt::print(invocation.streams.out, "{}\n",
             out ? "" : "; the dump as it was is kept for `imgtool undo`, see --forget there");
}

// What an archive has beside the dump is gone with the directory that it was unpacked into.
Result<> RefuseUnpackedParent(const DumpInput& input, const DumpDirectory& dump) {
  if (input.path() == input.name()) return success();
  CKPT_TRY(const std::optional<std::string> parent, dump.FindParent());
  if (!parent) return success();
  return MakeError(ErrorCode::kUnsupported,
                   "{}: the dump has a parent in the archive, which would not be beside OUT; "
                   "`imgtool unpack` it first, or make one dump of both by `imgtool squash`",
                   input.name());
}

Result<int> Run(const Invocation& invocation, const Direction& direction) {
  CKPT_TRY(const std::optional<std::string> out, OutOf(invocation));
  Progress progress(direction.progress);
  CKPT_TRY(const CompressionOptions options, ReadCompressionOptions(invocation.options, progress));
  CKPT_TRY(const std::optional<DumpLock> lock, LockToReplace(invocation.operands[0], out));
  CKPT_TRY(const DumpInput input,
           DumpInput::Open(invocation.operands[0], invocation, NeedsAllFiles));
  CKPT_TRY(const DumpDirectory dump, DumpDirectory::Open(input.path()));
  CKPT_TRY(RefuseUnpackedParent(input, dump));
  CKPT_TRY(const PagesForm form, FormOfPages(dump));
  CKPT_TRY(const std::vector<Conversion> conversions, FindImages(dump, direction));
  if (form == direction.to && conversions.empty()) {
    return MakeError(ErrorCode::kUsage, "{}: the pages are {} already", input.name(),
                     direction.to == PagesForm::kZstd ? "compressed" : "not compressed");
  }
  CKPT_TRY(std::string inventory, InventorySaying(dump, direction.to));
  CKPT_TRY(StagedDump staged,
           StagedDump::Begin(input.path(), out, ChangesOf(std::move(inventory), conversions)));
  CKPT_TRY(Convert(staged, conversions, direction, options));
  CKPT_TRY(staged.Commit());
  Report(invocation, conversions, direction, out);
  return kExitDone;
}

}  // namespace

void AddCompressOptions(po::options_description& options) {
  AddLevelOption(options);
  AddThreadOption(options);
  AddOutputOption(options);
}

void AddDecompressOptions(po::options_description& options) {
  AddThreadOption(options);
  AddOutputOption(options);
}

Result<int> RunCompress(const Invocation& invocation) { return Run(invocation, kCompress); }
Result<int> RunDecompress(const Invocation& invocation) { return Run(invocation, kDecompress); }

}  // namespace ckpt
