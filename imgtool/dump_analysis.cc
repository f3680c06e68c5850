#include "imgtool/dump_analysis.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <utility>

#include "formats/image_type.h"
#include "formats/json_text.h"
#include "formats/proto/files.pb.h"
#include "imgtool/address_words.h"
#include "imgtool/octal_text.h"
#include "imgtool/rewrite_rules.h"
#include "imgtool/role_fields.h"

namespace ckpt {

namespace {

struct RoleRow {
  FieldRole role;
  const char* option;
  const char* what;
};

constexpr RoleRow kRoleRows[] = {
    {FieldRole::kPath, "--path", "paths"},
    {FieldRole::kSocketName, "--path", "names of unix sockets"},
    {FieldRole::kWatchedPath, "--path", "watched paths"},
    {FieldRole::kMountSource, "--mount", "sources of mounts"},
    {FieldRole::kMountKey, "--ext-mount-map", "keys of external mounts"},
    {FieldRole::kCgroup, "--cgroup", "cgroups"},
    {FieldRole::kHostName, "--hostname", "names of hosts"},
    {FieldRole::kUserId, "--uid-shift", "user ids"},
    {FieldRole::kGroupId, "--uid-shift", "group ids"},
};

void Count(const FieldValue& value, AnalysisRow& row) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    ++row.field_count[*text];
  } else if (const auto* numbers = std::get_if<FieldNumbers>(&value)) {
    for (const int64_t number : *numbers) ++row.field_count[std::to_string(number)];
  } else if (const auto* number = std::get_if<int64_t>(&value)) {
    ++row.field_count[std::to_string(*number)];
  }
}

template <typename Words>
void CountAddress(const Words& words, AnalysisRow& row) {
  const std::string bytes = AddressOfWords(words);
  if (bytes.size() == 4 || bytes.size() == 16) ++row.field_count[AddressText(bytes)];
}

Result<> CountSockets(const ImageSource& images, AnalysisRow& ports, AnalysisRow& addresses) {
  const std::string name = ImageFileName(ImageType::kFiles);
  if (!images.Has(name)) return success();
  CKPT_TRY(const ImageFile image, images.Read(name));
  CKPT_TRY(const auto files, ParseEntries<pb::file_entry>(image));
  for (const auto& file : files) {
    if (!file.has_isk()) continue;
    for (const uint32_t port : {file.isk().src_port(), file.isk().dst_port()}) {
      if (port != 0) ++ports.field_count[std::to_string(port)];
    }
    CountAddress(file.isk().src_addr(), addresses);
    CountAddress(file.isk().dst_addr(), addresses);
  }
  return success();
}

}  // namespace

Result<std::vector<AnalysisRow>> AnalyzeDump(const ImageSource& images) {
  CKPT_TRY(const auto fields, ReadRoleFields(images));
  std::vector<AnalysisRow> rows;
  for (const RoleRow& role : kRoleRows) {
    AnalysisRow& row = rows.emplace_back(AnalysisRow{role.option, role.what, {}});
    for (const RoleField& field : fields) {
      if (field.row->role == role.role && field.is_path) Count(field.value, row);
    }
  }
  AnalysisRow ports{"--port", "ports", {}};
  AnalysisRow addresses{"--ip", "addresses of sockets", {}};
  CKPT_TRY(CountSockets(images, ports, addresses));
  rows.push_back(std::move(ports));
  rows.push_back(std::move(addresses));
  return rows;
}

void WriteTextAnalysis(const std::vector<AnalysisRow>& rows, std::ostream& out) {
  for (const AnalysisRow& row : rows) {
    if (row.field_count.empty()) continue;
    fmt::print(out, "{} ({}):\n", row.what, row.option);
    for (const auto& [value, count] : row.field_count) {
      fmt::print(out, "  {:>6}  {}\n", count, EscapeOctal(value));
    }
  }
}

void WriteJsonAnalysis(const std::vector<AnalysisRow>& rows, std::ostream& out) {
  JsonText json(out, JsonStyle::kPretty);
  const auto text = [&json](std::string_view key, std::string_view value) {
    json.Key(key);
    json.String(value);
  };
  json.BeginArray();
  for (const AnalysisRow& row : rows) {
    json.BeginObject();
    text("option", row.option);
    text("what", row.what);
    json.Key("values");
    json.BeginArray();
    for (const auto& [value, count] : row.field_count) {
      json.BeginObject();
      text("value", value);
      json.Key("count");
      json.Number(count);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndDocument();
  json.Flush();
}

}  // namespace ckpt
