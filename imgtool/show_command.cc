#include "imgtool/show_command.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "formats/byte_source.h"
#include "formats/json_image.h"
#include "formats/json_text.h"
#include "formats/ordered_work.h"
#include "imgtool/dump_input.h"
#include "imgtool/failures.h"
#include "imgtool/input_file.h"

namespace ckpt {
namespace {

// What a file takes in memory before it is its turn to be printed.
constexpr size_t kHeldBytes = size_t{1} << 20;

// The text of a file: held until all before it is printed, or it becomes long. Then it waits for
// its turn and goes straight on.
class TurnBuffer : public std::streambuf {
 public:
  TurnBuffer(OrderedWork& work, uint64_t number, std::ostream& out)
      : work_(work), number_(number), out_(out) {}

  // What is still held, for whoever takes the work.
  std::string_view held() const { return held_; }

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    if (stopped_) return 0;
    if (!passes_ && held_.size() + static_cast<size_t>(size) > kHeldBytes) Pass();
    if (passes_) {
      stopped_ = stopped_ || !out_.write(text, size);
      return stopped_ ? 0 : size;
    }
    held_.append(text, static_cast<size_t>(size));
    return size;
  }
  int_type overflow(int_type next) override {
    const char c = traits_type::to_char_type(next);
    if (traits_type::eq_int_type(next, traits_type::eof())) return traits_type::not_eof(next);
    return xsputn(&c, 1) == 1 ? next : traits_type::eof();
  }

 private:
  void Pass() {
    stopped_ = !work_.WaitForTurn(number_) ||
               !out_.write(held_.data(), static_cast<std::streamsize>(held_.size()));
    held_.clear();
    passes_ = true;
  }

  OrderedWork& work_;
  uint64_t number_;
  std::ostream& out_;
  std::string held_;
  bool passes_ = false;
  bool stopped_ = false;
};

// What there is to say about a file.
struct Findings {
  std::optional<Error> error;
  std::string note;

  void Report(Failures& failures) const {
    if (error) failures.Report(*error);
    if (!note.empty()) failures.Note(note);
  }
};

// Writes one file of any kind.
class FileText {
 public:
  FileText(JsonText& text, const JsonImageOptions& options) : text_(text), options_(options) {}

  Findings Write(const InputFile& file) && {
    JsonImageWriter writer(text_, options_);
    switch (file.kind) {
      case InputKind::kImage:
        WriteImage(file, writer);
        break;
      case InputKind::kRaw:
        writer.WriteRaw(file.type, file.size_bytes);
        break;
      case InputKind::kLink:
        WriteLink(file);
        break;
      case InputKind::kUnknown:
        WriteUnknown(file);
        break;
    }
    return std::move(findings_);
  }

 private:
  void WriteImage(const InputFile& file, JsonImageWriter& writer) {
    const Result<UniqueFd> fd = OpenFile(file.path, O_RDONLY);
    if (!fd) return WriteError(fd.error());
    DescriptorSource source(fd.value().get(), file.path);
    const Result<> done = writer.Write(file.shown_path, file.type, source);
    if (!done) findings_.error = done.error();
    if (writer.unknown_fields() > 0) {
      findings_.note = fmt::format("{}: unknown fields, not shown: {}", file.shown_path,
                                   writer.unknown_fields());
    }
  }

  void Begin() {
    text_.BeginObject();
    if (options_.file_name.empty()) return;
    text_.Key("file");
    text_.String(options_.file_name);
  }

  void End() {
    text_.EndObject();
    if (options_.lines) text_.EndDocument();
  }

  void WriteError(const Error& error) {
    findings_.error = error;
    Begin();
    text_.Key("error");
    text_.String(ShownText(error.message));
    End();
  }

  void WriteLink(const InputFile& file) {
    Begin();
    text_.Key("link");
    text_.String(file.link_target);
    End();
  }

  void WriteUnknown(const InputFile& file) {
    Begin();
    text_.Key("unknown");
    text_.Bool(true);
    text_.Key("size_bytes");
    text_.Number(file.size_bytes);
    End();
  }

  JsonText& text_;
  const JsonImageOptions& options_;
  Findings findings_;
};

// One run of the command over all its operands.
class Show {
 public:
  explicit Show(const Invocation& invocation)
      : invocation_(invocation),
        text_(invocation.streams.out, LayoutOf(invocation)),
        failures_("imgtool show", invocation.streams.err) {
    options_.spelling = Has(invocation, "pretty") ? JsonStyle::kPretty : JsonStyle::kPlain;
    options_.lines = Has(invocation, "ndjson");
  }

  int Run() {
    for (const std::string& path : invocation_.operands) {
      if (text_.stopped()) break;
      ShowPath(path);
    }
    text_.Flush();
    return failures_.exit_code();
  }

 private:
  // Files of a dump on their way through the threads.
  struct Piece {
    Piece(OrderedWork& work, std::ostream& out, std::span<const InputFile> some_files)
        : buffer(work, work.next_number(), out), files(some_files) {}
    TurnBuffer buffer;
    std::span<const InputFile> files;
    std::vector<Findings> findings;
  };

  static bool Has(const Invocation& invocation, const char* option) {
    return invocation.options.count(option) > 0;
  }
  static JsonStyle LayoutOf(const Invocation& invocation) {
    const bool indented = Has(invocation, "pretty") && !Has(invocation, "ndjson");
    return indented ? JsonStyle::kPretty : JsonStyle::kPlain;
  }

  void ShowPath(const std::string& path) {
    const auto opened =
        DumpInput::Open(path, invocation_, NeedsImagesWithEntries, OneImage::kAccepted);
    if (!opened) return failures_.Report(opened.error());
    const Result<Input> input = ListInput(opened.value());
    if (!input) return failures_.Report(input.error());
    if (input.value().is_directory) {
      ShowDump(input.value());
    } else {
      ShowImage(input.value().files.front());
    }
    if (!options_.lines) text_.EndDocument();
  }

  void ShowImage(const InputFile& file) {
    JsonImageOptions options = options_;
    options.threads = OrderedWork::DefaultThreads();
    FileText(text_, options).Write(file).Report(failures_);
  }

  void ShowDump(const Input& dump) {
    const size_t threads = OrderedWork::DefaultThreads();
    if (!options_.lines) text_.BeginObject();
    text_.Flush();
    {
      OrderedWork work(threads, kPiecesInFlight * threads);
      std::span<const InputFile> files = dump.files;
      for (bool first = true; !files.empty() && !stopped_; first = false) {
        const auto some = FirstFiles(files);
        Add(work, some, first);
        files = files.subspan(some.size());
      }
      work.Finish();
    }
    if (!options_.lines) text_.EndObject();
  }

  // As many small ones that handing them to a thread costs little beside showing them.
  static std::span<const InputFile> FirstFiles(std::span<const InputFile> files) {
    size_t count = 0;
    for (uint64_t bytes = 0; count < std::min(files.size(), kFilesAtOnce); ++count) {
      bytes += files[count].size_bytes;
      if (count > 0 && bytes > kBytesAtOnce) break;
    }
    return files.first(count);
  }

  void Add(OrderedWork& work, std::span<const InputFile> files, bool first) {
    work.WaitForRoom();
    auto piece = std::make_shared<Piece>(work, invocation_.streams.out, files);
    work.Add([this, piece, first] { Write(*piece, first); }, [this, piece] { Take(*piece); });
  }

  // On any thread.
  void Write(Piece& piece, bool first) const {
    std::ostream out(&piece.buffer);
    JsonText text(out, text_.style());
    JsonImageOptions options = options_;
    if (!options_.lines) text.Resume(text_.open(), !first);
    for (const InputFile& file : piece.files) {
      if (text.stopped()) break;
      if (options_.lines) {
        options.file_name = file.name;
      } else {
        text.StringKey(file.name);
      }
      piece.findings.push_back(FileText(text, options).Write(file));
    }
    text.Flush();
  }

  void Take(Piece& piece) {
    text_.Splice(piece.buffer.held());
    for (const Findings& findings : piece.findings) findings.Report(failures_);
    stopped_ = text_.stopped();
  }

  static constexpr size_t kFilesAtOnce = 32;
  static constexpr uint64_t kBytesAtOnce = uint64_t{64} << 10;
  static constexpr size_t kPiecesInFlight = 4;  // for each thread

  const Invocation& invocation_;
  JsonText text_;
  JsonImageOptions options_;
  Failures failures_;
  bool stopped_ = false;  // nobody takes the output: known after a file was taken
};

}  // namespace

void AddShowOptions(boost::program_options::options_description& options) {
  options.add_options()("pretty",
                        "indented, and values in the spelling of their field: hex, "
                        "flags by name, devices, addresses")  //
      ("ndjson", "a line for the header of each image, and one for each entry");
  AddInputOptions(options);
}

Result<int> RunShow(const Invocation& invocation) { return Show(invocation).Run(); }

}  // namespace ckpt
