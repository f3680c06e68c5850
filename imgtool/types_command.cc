#include "imgtool/types_command.h"

#include <fmt/ostream.h>

#include <ostream>
#include <string>

#include "formats/image_type.h"
#include "formats/json_text.h"

namespace ckpt {
namespace {

std::string_view FramingName(ImageFraming framing) {
  switch (framing) {
    case ImageFraming::kEntries:
      return "entries";
    case ImageFraming::kHeadThenEntries:
      return "head+entries";
    case ImageFraming::kRaw:
      return "raw";
    case ImageFraming::kLegacyPages:
      return "legacy-pages";
  }
  return "";
}

std::string_view ExtraName(ExtraKind extra) {
  switch (extra) {
    case ExtraKind::kNone:
      return "";
    case ExtraKind::kPipeData:
      return "pipe-data";
    case ExtraKind::kPacket:
      return "packet";
    case ExtraKind::kTcpQueues:
      return "tcp-queues";
    case ExtraKind::kBpfMap:
      return "bpf-map";
    case ExtraKind::kSharedMemory:
      return "shared-memory";
    case ExtraKind::kMessages:
      return "messages";
    case ExtraKind::kSemaphores:
      return "semaphores";
    case ExtraKind::kGhost:
      return "ghost";
  }
  return "";
}

std::string_view PrefixName(MagicPrefix prefix) {
  switch (prefix) {
    case MagicPrefix::kNone:
      return "";
    case MagicPrefix::kCommon:
      return "common";
    case MagicPrefix::kService:
      return "service";
  }
  return "";
}

std::string MagicText(const ImageTypeInfo& info) {
  return info.magic == 0 ? "" : fmt::format("{:#010x}", info.magic);
}

std::string_view OrDash(std::string_view text) { return text.empty() ? "-" : text; }

std::string MessageText(const ImageTypeInfo& info) {
  if (info.head_message.empty()) return std::string(OrDash(info.entry_message));
  return fmt::format("{}, {}", info.head_message, info.entry_message);
}

void PrintRow(std::ostream& out, std::string_view name, std::string_view file,
              std::string_view magic, std::string_view framing, std::string_view message,
              std::string_view extra, std::string_view doc) {
  fmt::print(out, "{:<16} {:<24} {:<10} {:<12} {:<40} {:<13} {}\n", name, file, magic, framing,
             message, extra, doc);
}

void PrintTable(std::ostream& out) {
  PrintRow(out, "NAME", "FILE", "MAGIC", "FRAMING", "MESSAGE", "EXTRA", "WHAT");
  for (const ImageTypeInfo& info : ImageTypes()) {
    const std::string magic = MagicText(info);
    PrintRow(out, info.name, info.file_template, OrDash(magic), FramingName(info.framing),
             MessageText(info), OrDash(ExtraName(info.extra)), info.doc);
  }
}

void TextOrNull(JsonText& json, std::string_view key, std::string_view text) {
  json.Key(key);
  if (text.empty()) {
    json.Null();
  } else {
    json.String(text);
  }
}

void PrintJson(std::ostream& out) {
  JsonText json(out, JsonStyle::kPretty);
  json.BeginArray();
  for (const ImageTypeInfo& info : ImageTypes()) {
    json.BeginObject();
    TextOrNull(json, "name", info.name);
    TextOrNull(json, "file", info.file_template);
    TextOrNull(json, "magic", MagicText(info));
    TextOrNull(json, "prefix", PrefixName(info.prefix));
    TextOrNull(json, "framing", FramingName(info.framing));
    TextOrNull(json, "head_message", info.head_message);
    TextOrNull(json, "message", info.entry_message);
    TextOrNull(json, "extra", ExtraName(info.extra));
    TextOrNull(json, "by", info.own ? "ckpt" : "CRIU");
    TextOrNull(json, "doc", info.doc);
    json.EndObject();
  }
  json.EndArray();
  json.EndDocument();
  json.Flush();
}

}  // namespace

void AddTypesOptions(boost::program_options::options_description& options) {
  options.add_options()("json", "JSON instead of a table");
}

Result<int> RunTypes(const Invocation& invocation) {
  if (invocation.options.count("json") > 0) {
    PrintJson(invocation.streams.out);
  } else {
    PrintTable(invocation.streams.out);
  }
  return kExitDone;
}

}  // namespace ckpt
