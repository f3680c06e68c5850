#include "imgtool/json/decode_command.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <boost/program_options/value_semantic.hpp>
#include <ostream>
#include <streambuf>
#include <string_view>

#include "base/file.h"
#include "formats/byte_source.h"
#include "formats/json_image.h"
#include "formats/json_text.h"
#include "formats/message_scan.h"
#include "formats/ordered_work.h"
#include "formats/write_behind.h"
#include "imgtool/descriptor_stream.h"
#include "imgtool/dump_input.h"
#include "imgtool/failures.h"
#include "imgtool/input_file.h"

namespace ckpt {
namespace {

constexpr mode_t kOutputMode = 0644;

Result<std::string> InputOperand(const Invocation& invocation) {
  const bool has_option = invocation.options.count("in") > 0;
  if (has_option == !invocation.operands.empty()) {
    return MakeError(ErrorCode::kUsage,
                     "one image is to be given, as PATH or by -i (`-`: standard "
                     "input)");
  }
  return has_option ? invocation.options["in"].as<std::string>() : invocation.operands[0];
}

// What is written to it goes to another stream by a thread of its own.
class BehindBuffer : public std::streambuf {
 public:
  explicit BehindBuffer(std::ostream& out)
      : out_(out), behind_([&out](Bytes bytes) -> Result<> {
          const std::string_view text = AsText(bytes);
          if (out.write(text.data(), static_cast<std::streamsize>(text.size()))) return success();
          return MakeError(ErrorCode::kSystem, "the output takes no more");
        }) {}

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    return behind_.Write(AsBytes({text, static_cast<size_t>(size)})) ? size : 0;
  }
  int_type overflow(int_type next) override {
    const char c = traits_type::to_char_type(next);
    if (traits_type::eq_int_type(next, traits_type::eof())) return traits_type::not_eof(next);
    return xsputn(&c, 1) == 1 ? next : traits_type::eof();
  }
  int sync() override { return behind_.Finish() && out_.flush() ? 0 : -1; }

 private:
  std::ostream& out_;
  WriteBehind behind_;
};

// One decoding of one image.
class Decoding {
 public:
  Decoding(const Invocation& invocation, const InputFile& file)
      : invocation_(invocation), file_(file), failures_("imgtool decode", invocation.streams.err) {
    options_.spelling = Has("pretty") ? JsonStyle::kPretty : JsonStyle::kPlain;
    options_.lines = Has("ndjson");
    options_.lossless = Has("lossless");
    options_.threads = OrderedWork::DefaultThreads();
  }

  Result<int> Run() {
    if (!Has("out")) {
      Write(invocation_.streams.out);
      return failures_.exit_code();
    }
    CKPT_TRY(StagedFile file,
             StagedFile::Create(invocation_.options["out"].as<std::string>(), kOutputMode));
    CKPT_TRY(WriteFile(file));
    if (failures_.exit_code() == kExitDone) CKPT_TRY(file.Commit());
    return failures_.exit_code();
  }

 private:
  bool Has(const char* option) const { return invocation_.options.count(option) > 0; }

  Result<> WriteFile(const StagedFile& file) {
    DescriptorBuffer buffer(file.fd());
    std::ostream out(&buffer);
    Write(out);
    out.flush();
    if (buffer.error_number() == 0) return success();
    return ErrnoError(buffer.error_number(), "write(\"{}\")", file.path());
  }

  // What threads do not make is written by another one.
  void Write(std::ostream& out) {
    if (GetImageType(file_.type).extra == ExtraKind::kNone && file_.kind != InputKind::kRaw) {
      return WriteText(out);
    }
    BehindBuffer buffer(out);
    std::ostream behind(&buffer);
    WriteText(behind);
  }

  void WriteText(std::ostream& out) {
    const bool indented = options_.spelling == JsonStyle::kPretty && !options_.lines;
    JsonText text(out, indented ? JsonStyle::kPretty : JsonStyle::kPlain);
    JsonImageWriter writer(text, options_);
    const Result<> done = WriteImage(writer);
    if (!options_.lines) text.EndDocument();
    text.Flush();
    if (!done) failures_.Report(done.error());
    if (!options_.lossless) NoteInexact(writer.inexact());
  }

  Result<> WriteImage(JsonImageWriter& writer) {
    CKPT_TRY(const UniqueFd fd, OpenFile(file_.path, O_RDONLY));
    DescriptorSource source(fd.get(), file_.path);
    if (file_.kind == InputKind::kRaw) return writer.WriteRawContent(file_.type, source);
    return writer.Write(file_.shown_path, file_.type, source);
  }

  void NoteInexact(const InexactParts& inexact) {
    constexpr std::string_view kAdvice = "encode will not restore its bytes without --lossless";
    if (inexact.old_header) {
      failures_.Note(fmt::format("{}: a header of version 1: {}", file_.shown_path, kAdvice));
    }
    for (const InexactParts::Entry& entry : inexact.entries) {
      failures_.Note(fmt::format(
          "{}: entry {} at offset {}: {}: {}", file_.shown_path, entry.index, entry.offset,
          entry.padding ? "odd padding" : DescribeInexact(entry.causes), kAdvice));
    }
    if (inexact.entry_count > inexact.entries.size()) {
      failures_.Note(fmt::format("{}: and {} more entries", file_.shown_path,
                                 inexact.entry_count - inexact.entries.size()));
    }
  }

  const Invocation& invocation_;
  const InputFile& file_;
  JsonImageOptions options_;
  Failures failures_;
};

}  // namespace

void AddDecodeOptions(boost::program_options::options_description& options) {
  namespace po = boost::program_options;
  options.add_options()("in,i", po::value<std::string>()->value_name("PATH"),
                        "the image, as crit has it")  //
      ("out,o", po::value<std::string>()->value_name("OUT"),
       "where to write; it appears when it is whole")  //
      ("pretty",
       "indented, and values in the spelling of their field: hex, flags by name, "
       "devices, addresses")                                       //
      ("ndjson", "a line for the header, and one for each entry")  //
      ("lossless", "with the bytes of what the fields alone do not restore");
  AddInputOptions(options);
}

Result<int> RunDecode(const Invocation& invocation) {
  CKPT_TRY(const std::string operand, InputOperand(invocation));
  CKPT_TRY(const DumpInput opened,
           DumpInput::Open(operand, invocation, NeedsImagesWithEntries, OneImage::kAccepted));
  if (!opened.is_image()) {
    return MakeError(ErrorCode::kUsage, "{}: a dump, not an image; show prints dumps", operand);
  }
  CKPT_TRY(const Input input, ListInput(opened));
  return Decoding(invocation, input.files.front()).Run();
}

}  // namespace ckpt
