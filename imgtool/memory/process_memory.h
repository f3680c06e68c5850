// The memory of one process of a dump, piece by piece: what the dump holds of it and where, and
// what it does not hold and why.
#ifndef IMGTOOL_MEMORY_PROCESS_MEMORY_H_
#define IMGTOOL_MEMORY_PROCESS_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/dump_directory.h"
#include "formats/page_ranges.h"
#include "imgtool/memory/dumped_process.h"
#include "imgtool/memory/mapped_files.h"

namespace ckpt {

// From `start` up to, not including, `end`.
struct AddressRange {
  uint64_t start = 0;
  uint64_t end = 0;

  uint64_t size_bytes() const { return end - start; }
};

inline constexpr AddressRange kAllAddresses = {0, ~uint64_t{0}};

// Where the bytes of a piece of memory are.
enum class PageOrigin : uint8_t {
  kStored,    // in a pages image
  kZero,      // nowhere: anonymous memory that was never touched, or shared memory never written
  kLazy,      // nowhere: they were left with the process, to be fetched later
  kFile,      // in the mapped file, which no dump holds
  kAbsent,    // nowhere: the kernel's own (vvar, vsyscall, ...), or the dump lacks their image
  kUnmapped,  // there is no mapping
};

std::string_view Name(PageOrigin origin);

struct MemoryPiece {
  AddressRange range;
  PageOrigin origin = PageOrigin::kUnmapped;
  // Null where there is no mapping: kUnmapped, or pages that no mapping covers.
  const pb::vma_entry* vma = nullptr;

  // Of kStored: the pages and, among them, the address of range.start, which differs from it in
  // shared memory, whose pages are numbered from its own start.
  const PageRanges* pages = nullptr;
  uint64_t pages_start = 0;
  size_t layer = 0;          // 0 is the dump, 1 its parent, ...
  uint64_t file_offset = 0;  // in pages->pages_name(layer)
};

class ProcessMemory {
 public:
  // Takes what ReadDumpedProcess() read from chain.front(). `chain` must outlive this object.
  static Result<ProcessMemory> Open(const std::vector<DumpDirectory>& chain, DumpedProcess process);

  const DumpedProcess& process() const { return process_; }
  const MappedFiles& files() const { return files_; }
  uint32_t pid() const { return process_.tree.pid(); }
  std::string NameOf(const MemoryPiece& piece) const {
    return piece.vma == nullptr ? "" : NameOfMapping(*piece.vma, files_);
  }

  // Hands out all pieces of `range` in ascending order, without gaps between them; they are whole
  // pages but for the ends of `range`. `visit` returns whether to go on. What a piece points to
  // lives until the next one is handed out. Memory use does not grow with the number of pieces.
  // kUnsupported beyond 2^28 of them.
  using Visitor = std::function<Result<bool>(const MemoryPiece&)>;
  Result<> ForEachPiece(AddressRange range, const Visitor& visit) const;

  // The same with the bytes of stored pieces, which come in parts of at most kChunkBytes; those of
  // other pieces are empty.
  static constexpr size_t kChunkBytes = size_t{1} << 20;
  using ByteVisitor = std::function<Result<bool>(const MemoryPiece&, Bytes)>;
  Result<> ForEachBytes(AddressRange range, const ByteVisitor& visit) const;

  // All bytes of `range`, zeros where it was never touched. kNotFound names the first piece that
  // the dump does not hold, kUnsupported a range of more than `limit_bytes`.
  Result<std::string> Read(AddressRange range, size_t limit_bytes) const;

 private:
  class Walk;

  ProcessMemory(const std::vector<DumpDirectory>& chain, DumpedProcess process, MappedFiles files,
                PageRanges pages)
      : chain_(&chain),
        process_(std::move(process)),
        files_(std::move(files)),
        pages_(std::move(pages)) {}

  std::optional<uint64_t> SharedMemoryId(const pb::vma_entry& vma) const;

  const std::vector<DumpDirectory>* chain_;
  DumpedProcess process_;
  MappedFiles files_;
  PageRanges pages_;  // of private memory
};

// The files of a dump that this reads: of an archive no others are unpacked.
bool NeedsMemoryImages(std::string_view file_name);

// "process 12: memory from 0x7f1200003000 to 0x7f1200004000 is not in the dump: ...".
Error MissingPiece(const ProcessMemory& memory, const MemoryPiece& piece);

// Why the dump does not hold it: "it is that of a file, /usr/lib/libc.so.6".
std::string WhyMissing(const ProcessMemory& memory, const MemoryPiece& piece);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_PROCESS_MEMORY_H_
