#include "imgtool/memory/map_listing.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sys/mman.h>

#include <array>

#include "formats/json_text.h"
#include "imgtool/octal_text.h"
#include "imgtool/temporary_directory.h"

namespace ckpt {
namespace {

uint64_t PageCount(AddressRange range) {
  return range.end / kPageBytes - range.start / kPageBytes + (range.end % kPageBytes != 0 ? 1 : 0);
}

// Pages by where they are.
class Sums {
 public:
  void Add(const MemoryPiece& piece) { Of(piece.origin) += PageCount(piece.range); }
  uint64_t Get(PageOrigin origin) const { return counts_.at(static_cast<size_t>(origin)); }

  static constexpr std::array kShown = {PageOrigin::kStored, PageOrigin::kZero, PageOrigin::kLazy,
                                        PageOrigin::kFile, PageOrigin::kAbsent};

 private:
  uint64_t& Of(PageOrigin origin) { return counts_.at(static_cast<size_t>(origin)); }

  std::array<uint64_t, 6> counts_{};
};

// Where the listing of one memory goes.
class Listing {
 public:
  explicit Listing(const ProcessMemory& memory) : memory_(memory) {}
  virtual ~Listing() = default;

  Result<> Run(AddressRange range) {
    Begin();
    CKPT_TRY(memory_.ForEachPiece(range, [this](const MemoryPiece& piece) -> Result<bool> {
      if (piece.origin == PageOrigin::kUnmapped) return true;
      if (!has_mapping_ || piece.vma != vma_) BeginMapping(piece.vma);
      has_mapping_ = true;
      vma_ = piece.vma;
      sums_.Add(piece);
      AddPiece(piece);
      return !Stopped();
    }));
    End();
    return success();
  }

 protected:
  virtual void Begin() {}
  virtual void BeginMapping(const pb::vma_entry* vma) = 0;  // null: pages without a mapping
  virtual void AddPiece(const MemoryPiece& piece) = 0;
  virtual void End() = 0;
  virtual bool Stopped() const = 0;

  std::string NameOf(const pb::vma_entry& vma) const { return NameOfMapping(vma, memory_.files()); }
  static std::string ImageOf(const MemoryPiece& piece) {
    return ShownText(piece.pages->pages_name(piece.layer));
  }

  const ProcessMemory& memory_;
  Sums sums_;
  bool has_mapping_ = false;

 private:
  const pb::vma_entry* vma_ = nullptr;
};

class TextListing : public Listing {
 public:
  TextListing(const ProcessMemory& memory, std::ostream& out) : Listing(memory), out_(out) {}

 private:
  void BeginMapping(const pb::vma_entry* vma) override {
    if (vma == nullptr) {
      fmt::print(out_, "pages in no mapping\n");
    } else {
      fmt::print(out_, "{:012x}-{:012x} {} {:08x} {}\n", vma->start(), vma->end(),
                 PermissionsOf(*vma), vma->pgoff(), EscapeOctal(NameOf(*vma)));
    }
  }

  void AddPiece(const MemoryPiece& piece) override {
    fmt::print(out_, "  {:012x}-{:012x} {:>8} {}", piece.range.start, piece.range.end,
               PageCount(piece.range), Name(piece.origin));
    if (piece.origin == PageOrigin::kStored) {
      fmt::print(out_, " {} at {}", EscapeOctal(ImageOf(piece)), piece.file_offset);
    }
    out_ << '\n';
  }

  void End() override {
    out_ << "pages:";
    for (const PageOrigin origin : Sums::kShown) {
      fmt::print(out_, " {} {}", sums_.Get(origin), Name(origin));
    }
    out_ << '\n';
  }

  bool Stopped() const override { return !out_; }

  std::ostream& out_;
};

std::string Hex(uint64_t number) { return fmt::format("{:#x}", number); }

class JsonListing : public Listing {
 public:
  JsonListing(const ProcessMemory& memory, std::ostream& out)
      : Listing(memory), text_(out, JsonStyle::kPretty) {}

 private:
  void Begin() override {
    text_.BeginObject();
    text_.Key("pid");
    text_.Number(memory_.pid());
    text_.Key("mappings");
    text_.BeginArray();
  }

  void BeginMapping(const pb::vma_entry* vma) override {
    EndMapping();
    text_.BeginObject();
    if (vma != nullptr) AddMapping(*vma);
    text_.Key("pages");
    text_.BeginArray();
  }

  void AddMapping(const pb::vma_entry& vma) {
    AddRange({vma.start(), vma.end()});
    text_.Key("permissions");
    text_.Name(PermissionsOf(vma));
    text_.Key("offset");
    text_.Number(vma.pgoff());
    text_.Key("name");
    text_.String(NameOf(vma));
  }

  void AddRange(AddressRange range) {
    text_.Key("start");
    text_.Name(Hex(range.start));
    text_.Key("end");
    text_.Name(Hex(range.end));
  }

  void AddPiece(const MemoryPiece& piece) override {
    text_.BeginObject();
    AddRange(piece.range);
    text_.Key("page_count");
    text_.Number(PageCount(piece.range));
    text_.Key("origin");
    text_.Name(Name(piece.origin));
    if (piece.origin == PageOrigin::kStored) {
      text_.Key("layer");
      text_.Number(piece.layer);
      text_.Key("image");
      text_.String(ImageOf(piece));
      text_.Key("image_offset");
      text_.Number(piece.file_offset);
    }
    text_.EndObject();
  }

  void EndMapping() {
    if (!has_mapping_) return;
    text_.EndArray();
    text_.EndObject();
  }

  void End() override {
    EndMapping();
    text_.EndArray();
    text_.Key("page_counts");
    text_.BeginObject();
    for (const PageOrigin origin : Sums::kShown) {
      text_.Key(Name(origin));
      text_.Number(sums_.Get(origin));
    }
    text_.EndObject();
    text_.EndObject();
    text_.EndDocument();
    text_.Flush();
  }

  bool Stopped() const override { return text_.stopped(); }

  JsonText text_;
};

}  // namespace

std::string PermissionsOf(const pb::vma_entry& vma) {
  std::string text = "---p";
  if ((vma.prot() & PROT_READ) != 0) text[0] = 'r';
  if ((vma.prot() & PROT_WRITE) != 0) text[1] = 'w';
  if ((vma.prot() & PROT_EXEC) != 0) text[2] = 'x';
  if ((vma.flags() & MAP_TYPE) == MAP_SHARED) text[3] = 's';
  return text;
}

Result<> ListMap(const ProcessMemory& memory, AddressRange range, std::ostream& out) {
  return TextListing(memory, out).Run(range);
}

Result<> ListMapAsJson(const ProcessMemory& memory, AddressRange range, std::ostream& out) {
  return JsonListing(memory, out).Run(range);
}

}  // namespace ckpt
