#include "imgtool/info_command.h"

#include <fmt/ostream.h>

#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "base/file.h"
#include "formats/image_file.h"
#include "formats/image_reader.h"
#include "formats/json_text.h"
#include "imgtool/dump_input.h"
#include "imgtool/failures.h"
#include "imgtool/input_file.h"

namespace ckpt {
namespace {

struct Counts {
  HeaderVersion header = HeaderVersion::kCurrent;
  uint64_t entries = 0;
  uint64_t extra_bytes = 0;
};

Result<Counts> CountEntries(const InputFile& file) {
  CKPT_TRY(const std::string bytes, ReadWholeFile(file.path, kMaxImageBytes));
  CKPT_TRY(ImageReader reader, ImageReader::Open(file.shown_path, file.type, AsBytes(bytes)));
  Counts counts;
  counts.header = reader.header_version();
  while (true) {
    CKPT_TRY(const std::optional<ImageEntry> entry, reader.Next());
    if (!entry) return counts;
    ++counts.entries;
    counts.extra_bytes += entry->extra.size();
  }
}

// Where the facts of one file after the other go.
class Listing {
 public:
  virtual ~Listing() = default;
  virtual void BeginPath() {}
  virtual void AddImage(const InputFile& file, const Counts& counts) = 0;
  virtual void AddDamaged(const InputFile& file, const Error& error) = 0;
  virtual void AddOther(const InputFile& file) = 0;
  virtual void EndPath() {}
};

class TextListing : public Listing {
 public:
  explicit TextListing(std::ostream& out) : out_(out) {
    Line("SIZE", "ENTRIES", "EXTRA", "TYPE", "NAME", "WHAT");
  }

  void AddImage(const InputFile& file, const Counts& counts) override {
    const ImageTypeInfo& info = GetImageType(file.type);
    const bool is_old = counts.header == HeaderVersion::kOld;
    Line(file.size_bytes, counts.entries, counts.extra_bytes, info.name, file.name,
         fmt::format("{}{}", info.doc, is_old ? ", image version 1" : ""));
  }

  void AddDamaged(const InputFile& file, const Error&) override {
    Line(file.size_bytes, "-", "-", GetImageType(file.type).name, file.name, "damaged");
  }

  void AddOther(const InputFile& file) override {
    if (file.kind == InputKind::kRaw) {
      const ImageTypeInfo& info = GetImageType(file.type);
      Line(file.size_bytes, "-", "-", info.name, file.name, info.doc);
    } else if (file.kind == InputKind::kLink) {
      Line(file.size_bytes, "-", "-", "-", file.name, "link to " + file.link_target);
    } else {
      Line(file.size_bytes, "-", "-", "-", file.name, "no image");
    }
  }

 private:
  template <typename Size, typename Entries, typename Extra>
  void Line(const Size& size, const Entries& entries, const Extra& extra, std::string_view type,
            std::string_view name, std::string_view what) {
    fmt::print(out_, "{:>12} {:>9} {:>9} {:<15} {:<24} {}\n", size, entries, extra, type, name,
               what);
  }

  std::ostream& out_;
};

class JsonListing : public Listing {
 public:
  explicit JsonListing(std::ostream& out) : text_(out, JsonStyle::kPretty) {}

  void BeginPath() override { text_.BeginObject(); }

  void AddImage(const InputFile& file, const Counts& counts) override {
    BeginFile(file);
    text_.Key("entries");
    text_.Number(counts.entries);
    text_.Key("extra_bytes");
    text_.Number(counts.extra_bytes);
    text_.Key("header");
    text_.Name(counts.header == HeaderVersion::kOld ? "old" : "current");
    text_.EndObject();
  }

  void AddDamaged(const InputFile& file, const Error& error) override {
    BeginFile(file);
    text_.Key("error");
    text_.String(ShownText(error.message));
    text_.EndObject();
  }

  void AddOther(const InputFile& file) override {
    BeginFile(file);
    if (file.kind == InputKind::kLink) {
      text_.Key("link");
      text_.String(file.link_target);
    }
    text_.EndObject();
  }

  void EndPath() override {
    text_.EndObject();
    text_.EndDocument();
    text_.Flush();
  }

 private:
  void BeginFile(const InputFile& file) {
    text_.StringKey(file.name);
    text_.BeginObject();
    if (file.kind == InputKind::kImage || file.kind == InputKind::kRaw) {
      text_.Key("type");
      text_.Name(GetImageType(file.type).name);
    }
    text_.Key("size_bytes");
    text_.Number(file.size_bytes);
  }

  JsonText text_;
};

void AddFile(const InputFile& file, Listing& listing, Failures& failures) {
  if (file.kind != InputKind::kImage) return listing.AddOther(file);
  const Result<Counts> counts = CountEntries(file);
  if (counts) return listing.AddImage(file, counts.value());
  failures.Report(counts.error());
  listing.AddDamaged(file, counts.error());
}

void AddPath(const std::string& path, const Invocation& invocation, Listing& listing,
             Failures& failures) {
  const auto opened =
      DumpInput::Open(path, invocation, NeedsImagesWithEntries, OneImage::kAccepted);
  if (!opened) return failures.Report(opened.error());
  const Result<Input> input = ListInput(opened.value());
  if (!input) return failures.Report(input.error());
  listing.BeginPath();
  for (const InputFile& file : input.value().files) AddFile(file, listing, failures);
  listing.EndPath();
}

}  // namespace

void AddInfoOptions(boost::program_options::options_description& options) {
  options.add_options()("json", "JSON instead of a table");
  AddInputOptions(options);
}

Result<int> RunInfo(const Invocation& invocation) {
  Failures failures("imgtool info", invocation.streams.err);
  std::unique_ptr<Listing> listing;
  if (invocation.options.count("json") > 0) {
    listing = std::make_unique<JsonListing>(invocation.streams.out);
  } else {
    listing = std::make_unique<TextListing>(invocation.streams.out);
  }
  for (const std::string& path : invocation.operands) AddPath(path, invocation, *listing, failures);
  return failures.exit_code();
}

}  // namespace ckpt
