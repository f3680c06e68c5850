#include "imgtool/storage/squash_command.h"

#include <fmt/ostream.h>

#include <boost/program_options/value_semantic.hpp>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "formats/dump_directory.h"
#include "formats/page_compression.h"
#include "imgtool/dump_changes.h"
#include "imgtool/dump_input.h"
#include "imgtool/storage/compression_options.h"
#include "imgtool/storage/inventory_mark.h"
#include "imgtool/storage/squashed_memory.h"
#include "imgtool/storage/staged_dump.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

Result<std::vector<SquashedMemory>> SquashMemories(const std::vector<DumpDirectory>& chain) {
  std::vector<SquashedMemory> memories;
  std::set<uint32_t> pages_ids;
  for (const DumpImage& image : chain.front().images()) {
    const ImageType type = image.image.type;
    if (type != ImageType::kPagemap && type != ImageType::kShmemPagemap) continue;
    CKPT_TRY(SquashedMemory memory, SquashedMemory::Of(chain, image));
    if (!pages_ids.insert(memory.pages_id()).second) {
      return MakeError(ErrorCode::kBadFormat, "{}/{}: pages_id {} is that of another pagemap, too",
                       chain.front().path(), image.file_name, memory.pages_id());
    }
    memories.push_back(std::move(memory));
  }
  return memories;
}

// The one that a dump has, or nothing.
std::string PagesNameIn(const DumpDirectory& dump, uint32_t pages_id) {
  for (const ImageType type : {ImageType::kPages, ImageType::kPagesZstd}) {
    if (dump.Has(type, pages_id)) return ImageFileName(type, pages_id);
  }
  return "";
}

std::string NewPagesName(PagesForm form, uint32_t pages_id) {
  return ImageFileName(form == PagesForm::kZstd ? ImageType::kPagesZstd : ImageType::kPages,
                       pages_id);
}

DumpChanges ChangesOf(const DumpDirectory& dump, PagesForm form,
                      const std::vector<SquashedMemory>& memories) {
  DumpChanges changes;
  changes.removed.insert(kParentLink);
  for (const SquashedMemory& memory : memories) {
    changes.edited[memory.pagemap_name()].bytes = memory.pagemap();
    const std::string old_name = PagesNameIn(dump, memory.pages_id());
    const std::string new_name = NewPagesName(form, memory.pages_id());
    if (old_name.empty()) {
      changes.new_files[new_name] = {};
    } else {
      changes.edited[old_name] = {};
      if (old_name != new_name) changes.renames[old_name] = new_name;
    }
  }
  return changes;
}

Result<> WriteMemories(const StagedDump& staged, const DumpDirectory& dump, PagesForm form,
                       const std::vector<SquashedMemory>& memories,
                       const CompressionOptions& options) {
  std::vector<UniqueFd> files;
  std::vector<PagesToWrite> to_write;
  for (const SquashedMemory& memory : memories) {
    const std::string name = NewPagesName(form, memory.pages_id());
    CKPT_TRY(UniqueFd file, staged.OpenFile(name));
    files.push_back(std::move(file));
    const int fd = files.back().get();
    if (form == PagesForm::kPlain) {
      CKPT_TRY(const bool is_copied, memory.CopyTo(fd, staged.PathOf(name)));
      if (is_copied) continue;
    }
    const auto read = [&memory](uint64_t offset, std::span<std::byte> buffer) -> Result<Bytes> {
      CKPT_TRY(memory.Read(offset, buffer));
      return Bytes(buffer);
    };
    to_write.push_back({memory.size_bytes(), read, fd, staged.PathOf(name)});
  }
  if (form == PagesForm::kZstd) {
    CKPT_TRY(CompressPages(to_write, options));
  } else {
    CKPT_TRY(WritePages(to_write, options));
  }
  for (size_t i = 0; i < memories.size(); ++i) {
    CKPT_TRY(staged.FinishFile(files[i], NewPagesName(form, memories[i].pages_id()),
                               PagesNameIn(dump, memories[i].pages_id())));
  }
  return success();
}

void Report(const std::string& out, size_t dump_count, const std::vector<SquashedMemory>& memories,
            std::ostream& stream) {
  uint64_t size_bytes = 0;
  for (const SquashedMemory& memory : memories) size_bytes += memory.size_bytes();
  fmt::print(stream, "{}: {} dumps became one, {} pagemaps, {} bytes of pages\n", out, dump_count,
             memories.size(), size_bytes);
}

}  // namespace

void AddSquashOptions(po::options_description& options) {
  options.add_options()("output,o", po::value<std::string>()->value_name("OUT"),
                        "the new directory; needed");
  AddThreadOption(options);
  AddLevelOption(options);
  AddInputOptions(options);
}

Result<int> RunSquash(const Invocation& invocation) {
  if (invocation.options.count("output") == 0) {
    return MakeError(ErrorCode::kUsage, "no place for the full dump given: -o OUT");
  }
  const auto out = invocation.options["output"].as<std::string>();
  Progress progress("gathering pages");
  CKPT_TRY(const CompressionOptions options, ReadCompressionOptions(invocation.options, progress));
  CKPT_TRY(const DumpInput input,
           DumpInput::Open(invocation.operands[0], invocation, NeedsAllFiles));
  CKPT_TRY(const std::vector<DumpDirectory> chain, input.OpenChain());
  const DumpDirectory& dump = chain.front();
  CKPT_TRY(const PagesForm form, FormOfPages(dump));
  CKPT_TRY(const std::vector<SquashedMemory> memories, SquashMemories(chain));
  CKPT_TRY(StagedDump staged,
           StagedDump::Begin(input.path(), out, ChangesOf(dump, form, memories)));
  CKPT_TRY(WriteMemories(staged, dump, form, memories, options));
  CKPT_TRY(staged.Commit());
  Report(out, chain.size(), memories, invocation.streams.out);
  return kExitDone;
}

}  // namespace ckpt
