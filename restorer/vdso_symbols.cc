#include "restorer/vdso_symbols.h"

#include <elf.h>

#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace ckpt {

namespace {

// Limits on untrusted bytes, beside kMaxVdsoBytes. Linux's x86-64 vdso has 4 program headers, about
// 20 entries in its dynamic section and about 12 symbols with names below 30 bytes.
constexpr size_t kMaxProgramHeaders = 64;
constexpr size_t kMaxDynamicEntries = 256;
constexpr size_t kMaxSymbols = 1024;
constexpr size_t kMaxNameBytes = 256;

// What the dynamic section tells; offsets from the start of the image.
struct DynamicTables {
  std::optional<uint64_t> symbols;
  std::optional<uint64_t> strings;
  uint64_t strings_bytes = 0;
  std::optional<uint64_t> hash;
  std::optional<uint64_t> gnu_hash;
};

class Parser {
 public:
  explicit Parser(Bytes image) : image_(image) {}

  Result<VdsoSymbols> Parse() {
    if (image_.size() > kMaxVdsoBytes) {
      return Bad("{} bytes, at most {} are allowed", image_.size(), kMaxVdsoBytes);
    }
    CKPT_TRY(const Elf64_Ehdr header, Get<Elf64_Ehdr>(0, "ELF header"));
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != EM_X86_64) {
      return Bad("not a 64-bit x86 ELF image");
    }
    CKPT_TRY(const Elf64_Phdr dynamic, FindSegments(header));
    CKPT_TRY(const DynamicTables tables, ReadDynamic(dynamic));
    return ReadSymbols(tables);
  }

 private:
  template <typename... Args>
  static Error Bad(fmt::format_string<Args...> text, Args&&... args) {
    return MakeError(ErrorCode::kBadFormat, text, std::forward<Args>(args)...).In("vdso");
  }

  template <typename T>
  Result<T> Get(uint64_t offset, std::string_view what) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > image_.size() || sizeof(T) > image_.size() - offset) {
      return Bad("{} at byte {} runs past the end at {}", what, offset, image_.size());
    }
    T object;
    std::memcpy(&object, image_.data() + offset, sizeof(object));
    return object;
  }

  // The dynamic segment; notes where the image is linked to lie.
  Result<Elf64_Phdr> FindSegments(const Elf64_Ehdr& header) {
    if (header.e_phnum > kMaxProgramHeaders) {
      return Bad("{} program headers, at most {} are allowed", header.e_phnum, kMaxProgramHeaders);
    }
    std::optional<Elf64_Phdr> dynamic;
    bool loaded = false;
    for (uint64_t i = 0; i < header.e_phnum; ++i) {
      // Cannot wrap: Get() refuses what lies outside of the image first.
      CKPT_TRY(const Elf64_Phdr segment,
               Get<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr), "program header"));
      if (segment.p_type == PT_LOAD && !loaded) {
        loaded = true;
        base_ = segment.p_vaddr - segment.p_offset;
      }
      if (segment.p_type == PT_DYNAMIC) dynamic = segment;
    }
    if (!loaded || !dynamic) return Bad("no {} segment", loaded ? "dynamic" : "loaded");
    return *dynamic;
  }

  Result<DynamicTables> ReadDynamic(const Elf64_Phdr& dynamic) const {
    DynamicTables tables;
    for (uint64_t i = 0; i < kMaxDynamicEntries; ++i) {
      CKPT_TRY(const Elf64_Dyn entry,
               Get<Elf64_Dyn>(dynamic.p_offset + i * sizeof(Elf64_Dyn), "dynamic entry"));
      const uint64_t value = entry.d_un.d_val;
      if (entry.d_tag == DT_NULL) return tables;
      if (entry.d_tag == DT_SYMTAB) tables.symbols = value - base_;
      if (entry.d_tag == DT_STRTAB) tables.strings = value - base_;
      if (entry.d_tag == DT_STRSZ) tables.strings_bytes = value;
      if (entry.d_tag == DT_HASH) tables.hash = value - base_;
      if (entry.d_tag == DT_GNU_HASH) tables.gnu_hash = value - base_;
    }
    return Bad("more than {} dynamic entries", kMaxDynamicEntries);
  }

  Result<uint64_t> CountSymbols(const DynamicTables& tables) const {
    if (tables.hash) {
      CKPT_TRY(const Elf64_Word count, Get<Elf64_Word>(*tables.hash + 4, "chain count"));
      return uint64_t{count};
    }
    if (tables.gnu_hash) return CountGnuSymbols(*tables.gnu_hash);
    return Bad("neither DT_HASH nor DT_GNU_HASH: nothing tells how many symbols there are");
  }

  // One more than the symbol at which the chain of the last bucket ends. Layout: nbuckets,
  // symoffset, bloom_size, bloom_shift, bloom[] (64 bits each), buckets[], chain[].
  Result<uint64_t> CountGnuSymbols(uint64_t table) const {
    CKPT_TRY(const Elf64_Word buckets, Get<Elf64_Word>(table, "bucket count"));
    CKPT_TRY(const Elf64_Word first, Get<Elf64_Word>(table + 4, "first hashed symbol"));
    CKPT_TRY(const Elf64_Word bloom_words, Get<Elf64_Word>(table + 8, "bloom size"));
    const uint64_t buckets_at = table + 16 + uint64_t{bloom_words} * 8;
    const uint64_t chain_at = buckets_at + uint64_t{buckets} * 4;
    uint64_t last = 0;
    for (uint64_t i = 0; i < buckets; ++i) {
      CKPT_TRY(const Elf64_Word symbol, Get<Elf64_Word>(buckets_at + i * 4, "hash bucket"));
      last = std::max<uint64_t>(last, symbol);
    }
    if (last < first) return uint64_t{first};
    for (uint64_t symbol = last; symbol <= kMaxSymbols; ++symbol) {
      CKPT_TRY(const Elf64_Word hash, Get<Elf64_Word>(chain_at + (symbol - first) * 4, "chain"));
      if ((hash & 1) != 0) return symbol + 1;
    }
    return Bad("a hash chain without end");
  }

  Result<VdsoSymbols> ReadSymbols(const DynamicTables& tables) const {
    if (!tables.symbols || !tables.strings) return Bad("no symbol or string table");
    CKPT_TRY(const uint64_t count, CountSymbols(tables));
    if (count > kMaxSymbols) return Bad("{} symbols, at most {} are allowed", count, kMaxSymbols);
    VdsoSymbols symbols;
    for (uint64_t i = 0; i < count; ++i) {
      CKPT_TRY(const Elf64_Sym symbol,
               Get<Elf64_Sym>(*tables.symbols + i * sizeof(Elf64_Sym), "symbol"));
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
      CKPT_TRY(std::string name, ReadName(tables, symbol.st_name));
      const VdsoFunction function{symbol.st_value - base_, symbol.st_size};
      if (function.offset > image_.size() ||
          function.size_bytes > image_.size() - function.offset) {
        return Bad("function {} at byte {} of {} bytes runs past the end at {}", name,
                   function.offset, function.size_bytes, image_.size());
      }
      symbols.emplace(std::move(name), function);
    }
    return symbols;
  }

  Result<std::string> ReadName(const DynamicTables& tables, uint64_t at) const {
    const uint64_t start = *tables.strings + at;
    if (at >= tables.strings_bytes || start < at || start >= image_.size()) {
      return Bad("a name at byte {} of {} bytes of names", at, tables.strings_bytes);
    }
    const std::string_view rest = AsText(image_.subspan(start)).substr(0, kMaxNameBytes);
    const size_t end = rest.find('\0');
    if (end == std::string_view::npos) return Bad("a name at byte {} without end", at);
    return std::string(rest.substr(0, end));
  }

  Bytes image_;
  uint64_t base_ = 0;  // the address that the first byte is linked to lie at
};

}  // namespace

Result<VdsoSymbols> ParseVdsoSymbols(Bytes image) { return Parser(image).Parse(); }

}  // namespace ckpt
