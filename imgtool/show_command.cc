#include "imgtool/show_command.h"

#include <fmt/ostream.h>

#include <ostream>

#include "base/file.h"
#include "formats/image_file.h"
#include "formats/json_image.h"
#include "formats/json_text.h"
#include "imgtool/dump_input.h"
#include "imgtool/failures.h"
#include "imgtool/input_file.h"

namespace ckpt {
namespace {

// One run of the command over all its operands.
class Show {
 public:
  Show(const Invocation& invocation, JsonStyle style)
      : invocation_(invocation),
        text_(invocation.streams.out, style),
        style_(style),
        failures_("imgtool show", invocation.streams.err) {}

  int Run() {
    for (const std::string& path : invocation_.operands) {
      if (text_.stopped()) break;
      ShowPath(path);
    }
    text_.Flush();
    return failures_.exit_code();
  }

 private:
  void ShowPath(const std::string& path) {
    const auto opened =
        DumpInput::Open(path, invocation_, NeedsImagesWithEntries, OneImage::kAccepted);
    if (!opened) return failures_.Report(opened.error());
    const Result<Input> input = ListInput(opened.value());
    if (!input) return failures_.Report(input.error());
    if (input.value().is_directory) {
      ShowDirectory(input.value());
    } else {
      ShowFile(input.value().files.front());
    }
    text_.EndDocument();
  }

  void ShowDirectory(const Input& dump) {
    text_.BeginObject();
    for (const InputFile& file : dump.files) {
      if (text_.stopped()) break;
      text_.StringKey(file.name);
      ShowFile(file);
    }
    text_.EndObject();
  }

  void ShowFile(const InputFile& file) {
    JsonImageWriter writer(text_, style_);
    switch (file.kind) {
      case InputKind::kImage:
        return ShowImage(file, writer);
      case InputKind::kRaw:
        return writer.WriteRaw(file.type, file.size_bytes);
      case InputKind::kLink:
        return ShowLink(file);
      case InputKind::kUnknown:
        return ShowUnknown(file);
    }
  }

  void ShowImage(const InputFile& file, JsonImageWriter& writer) {
    const Result<std::string> bytes = ReadWholeFile(file.path, kMaxImageBytes);
    if (!bytes) return ShowFailure(bytes.error());
    const Result<> done = writer.Write(file.shown_path, file.type, AsBytes(bytes.value()));
    if (!done) failures_.Report(done.error());
    if (writer.unknown_fields() > 0) {
      failures_.Note(fmt::format("{}: unknown fields, not shown: {}", file.shown_path,
                                 writer.unknown_fields()));
    }
  }

  void ShowFailure(const Error& error) {
    failures_.Report(error);
    text_.BeginObject();
    text_.Key("error");
    text_.String(ShownText(error.message));
    text_.EndObject();
  }

  void ShowLink(const InputFile& file) {
    text_.BeginObject();
    text_.Key("link");
    text_.String(file.link_target);
    text_.EndObject();
  }

  void ShowUnknown(const InputFile& file) {
    text_.BeginObject();
    text_.Key("unknown");
    text_.Bool(true);
    text_.Key("size_bytes");
    text_.Number(file.size_bytes);
    text_.EndObject();
  }

  const Invocation& invocation_;
  JsonText text_;
  JsonStyle style_;
  Failures failures_;
};

}  // namespace

void AddShowOptions(boost::program_options::options_description& options) {
  options.add_options()("pretty",
                        "indented, and values in the spelling of their field: hex, "
                        "flags by name, devices, addresses");
  AddInputOptions(options);
}

Result<int> RunShow(const Invocation& invocation) {
  const bool pretty = invocation.options.count("pretty") > 0;
  Show show(invocation, pretty ? JsonStyle::kPretty : JsonStyle::kPlain);
  return show.Run();
}

}  // namespace ckpt
