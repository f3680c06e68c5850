#include "imgtool/memory/match_listing.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <string>

#include "formats/json_text.h"
#include "imgtool/memory/map_listing.h"
#include "imgtool/octal_text.h"

namespace ckpt {
namespace {

// Of a long match a line shows the beginning.
constexpr size_t kShownMatchBytes = 160;
constexpr size_t kShownContextBytes = 16;

std::string Printable(Bytes bytes) {
  std::string text(AsText(bytes));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '.');
  return text;
}

class TextListing : public MatchListing {
 public:
  TextListing(const ProcessMemory& memory, std::ostream& out) : memory_(memory), out_(out) {}

  void Add(const MemoryMatch& match) override {
    const Bytes before = match.before.last(std::min(match.before.size(), kShownContextBytes));
    const Bytes bytes = match.bytes.first(std::min(match.bytes.size(), kShownMatchBytes));
    const bool is_whole = bytes.size() == match.bytes.size();
    const Bytes after = is_whole ? match.after : Bytes();
    fmt::print(out_, "{:012x} {} {}{}{}\n", match.address, MappingOf(match), Printable(before),
               Printable(bytes), is_whole ? Printable(after) : "...");
  }

  bool stopped() const override { return !out_; }

 private:
  std::string MappingOf(const MemoryMatch& match) const {
    if (match.vma == nullptr) return "---- -";
    const std::string name = EscapeOctal(NameOfMapping(*match.vma, memory_.files()));
    return fmt::format("{} {}", PermissionsOf(*match.vma), name.empty() ? "-" : name);
  }

  const ProcessMemory& memory_;
  std::ostream& out_;
};

class JsonListing : public MatchListing {
 public:
  JsonListing(const ProcessMemory& memory, std::ostream& out)
      : memory_(memory), text_(out, JsonStyle::kPretty) {
    text_.BeginArray();
  }

  void Add(const MemoryMatch& match) override {
    text_.BeginObject();
    text_.Key("address");
    text_.Name(fmt::format("{:#x}", match.address));
    text_.Key("size_bytes");
    text_.Number(match.bytes.size());
    if (match.vma != nullptr) AddMapping(*match.vma);
    AddBytes("before", match.before);
    AddBytes("match", match.bytes);
    AddBytes("after", match.after);
    text_.EndObject();
  }

  void Finish() override {
    text_.EndArray();
    text_.EndDocument();
    text_.Flush();
  }

  bool stopped() const override { return text_.stopped(); }

 private:
  void AddMapping(const pb::vma_entry& vma) {
    text_.Key("mapping");
    text_.BeginObject();
    text_.Key("start");
    text_.Name(fmt::format("{:#x}", vma.start()));
    text_.Key("end");
    text_.Name(fmt::format("{:#x}", vma.end()));
    text_.Key("permissions");
    text_.Name(PermissionsOf(vma));
    text_.Key("name");
    text_.String(NameOfMapping(vma, memory_.files()));
    text_.EndObject();
  }

  void AddBytes(std::string_view key, Bytes bytes) {
    text_.Key(key);
    text_.String(AsText(bytes));
  }

  const ProcessMemory& memory_;
  JsonText text_;
};

}  // namespace

std::unique_ptr<MatchListing> ListMatches(const ProcessMemory& memory, std::ostream& out) {
  return std::make_unique<TextListing>(memory, out);
}

std::unique_ptr<MatchListing> ListMatchesAsJson(const ProcessMemory& memory, std::ostream& out) {
  return std::make_unique<JsonListing>(memory, out);
}

}  // namespace ckpt
