// Compares our messages and image types with what is known of CRIU's, in both directions, and with
// what Debian's crit knows where it is installed.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "formats/image_message.h"
#include "formats/image_type.h"
#include "formats/proto/spelling.pb.h"

namespace ckpt {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using testing::IsEmpty;

using Lines = std::set<std::string>;

constexpr std::string_view kPackage = "ckpt.pb.";

Lines SplitLines(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    size_t end = text.find('\n');
    lines.emplace(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string Column(std::string_view line, size_t index) {
  for (; index > 0; --index) line.remove_prefix(line.find('\t') + 1);
  return std::string(line.substr(0, line.find('\t')));
}

// The lines of a table of facts without the column titles; the first column, the name of a file in
// CRIU's sources, is left out where the table has one.
Lines ReadFacts(const std::string& name) {
  auto text = ReadWholeFile("tests/facts/" + name);
  EXPECT_TRUE(text.has_value()) << text.error().message;
  std::string_view body = text.value();
  bool has_file = body.starts_with("file\t");
  body.remove_prefix(body.find('\n') + 1);
  Lines facts;
  for (const std::string& line : SplitLines(body)) {
    facts.insert(has_file ? line.substr(line.find('\t') + 1) : line);
  }
  return facts;
}

Lines Missing(const Lines& wanted, const Lines& found) {
  Lines missing;
  std::ranges::set_difference(wanted, found, std::inserter(missing, missing.end()));
  return missing;
}

std::string LocalName(const std::string& full_name) {
  return full_name.starts_with(kPackage) ? full_name.substr(kPackage.size()) : full_name;
}

std::string TypeName(const FieldDescriptor* field) {
  if (field->message_type() != nullptr) return LocalName(field->message_type()->full_name());
  if (field->enum_type() != nullptr) return LocalName(field->enum_type()->full_name());
  return field->type_name();
}

std::string LabelName(const FieldDescriptor* field) {
  return field->is_required() ? "required" : field->is_repeated() ? "repeated" : "optional";
}

std::string DefaultText(const FieldDescriptor* field) {
  if (!field->has_default_value()) return "";
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return field->default_value_enum()->name();
    case FieldDescriptor::CPPTYPE_BOOL:
      return field->default_value_bool() ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return fmt::format("{}", field->default_value_int32());
    case FieldDescriptor::CPPTYPE_UINT32:
      return fmt::format("{}", field->default_value_uint32());
    default:
      return "a default of another type";
  }
}

std::string OptionsText(const FieldDescriptor* field) {
  const pb::CRIU_Opts& spelling = field->options().GetExtension(pb::spelling);
  const Descriptor* options = pb::CRIU_Opts::descriptor();
  std::string text;
  for (int i = 0; i < options->field_count(); ++i) {
    const FieldDescriptor* option = options->field(i);
    if (!spelling.GetReflection()->HasField(spelling, option)) continue;
    bool is_flag = option->cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
    std::string value = is_flag ? "True" : spelling.GetReflection()->GetString(spelling, option);
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", option->name(), value);
  }
  return text;
}

std::string FieldLine(const FieldDescriptor* field) {
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}", LocalName(field->containing_type()->full_name()),
                     field->number(), LabelName(field), TypeName(field), field->name(),
                     DefaultText(field), OptionsText(field));
}

void AddEnum(const EnumDescriptor* descriptor, Lines& lines) {
  for (int i = 0; i < descriptor->value_count(); ++i) {
    lines.insert(fmt::format("{}\t{}\t{}", LocalName(descriptor->full_name()),
                             descriptor->value(i)->number(), descriptor->value(i)->name()));
  }
}

// Every file that one of these messages is in.
std::set<const FileDescriptor*> FilesOf(const Lines& field_facts) {
  std::set<const FileDescriptor*> files;
  for (const std::string& fact : field_facts) {
    const auto* message = DescriptorPool::generated_pool()->FindMessageTypeByName(
        std::string(kPackage) + Column(fact, 0));
    if (message != nullptr) files.insert(message->file());
  }
  return files;
}

Lines FieldsIn(const std::set<const FileDescriptor*>& files) {
  Lines lines;
  for (const FileDescriptor* file : files) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor* message = file->message_type(i);
      for (int j = 0; j < message->field_count(); ++j) lines.insert(FieldLine(message->field(j)));
    }
  }
  return lines;
}

Lines EnumsIn(const std::set<const FileDescriptor*>& files) {
  Lines lines;
  for (const FileDescriptor* file : files) {
    for (int i = 0; i < file->enum_type_count(); ++i) AddEnum(file->enum_type(i), lines);
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor* message = file->message_type(i);
      for (int j = 0; j < message->enum_type_count(); ++j) AddEnum(message->enum_type(j), lines);
    }
  }
  return lines;
}

std::string PrefixName(MagicPrefix prefix) {
  return prefix == MagicPrefix::kNone     ? "none"
         : prefix == MagicPrefix::kCommon ? "common"
                                          : "service";
}

Lines ImageTypeLines() {
  Lines lines;
  for (const ImageTypeInfo& row : ImageTypes()) {
    if (row.own) continue;
    std::string messages(row.head_message);
    if (!messages.empty()) messages += ' ';
    messages += row.entry_message;
    lines.insert(fmt::format("{}\t{}\t{:#010x}\t{}\t{}\t{}", row.file_template, row.name, row.magic,
                             row.magic_name, PrefixName(row.prefix), messages));
  }
  return lines;
}

TEST(FormatFactsTest, EveryFieldIsAsTheFactsSayAndThereIsNoOther) {
  Lines facts = ReadFacts("image-fields.tsv");
  Lines ours = FieldsIn(FilesOf(facts));
  EXPECT_EQ(facts.size(), 1045U);
  EXPECT_THAT(Missing(facts, ours), IsEmpty()) << "in the facts only";
  EXPECT_THAT(Missing(ours, facts), IsEmpty()) << "in our messages only";
}

TEST(FormatFactsTest, EveryEnumValueIsAsTheFactsSayAndThereIsNoOther) {
  Lines facts = ReadFacts("image-enums.tsv");
  Lines ours = EnumsIn(FilesOf(ReadFacts("image-fields.tsv")));
  EXPECT_EQ(facts.size(), 93U);
  EXPECT_THAT(Missing(facts, ours), IsEmpty()) << "in the facts only";
  EXPECT_THAT(Missing(ours, facts), IsEmpty()) << "in our messages only";
}

TEST(FormatFactsTest, EveryImageTypeIsAsTheFactsSayAndThereIsNoOther) {
  Lines facts = ReadFacts("image-types.tsv");
  Lines ours = ImageTypeLines();
  EXPECT_EQ(facts.size(), 85U);
  EXPECT_THAT(Missing(facts, ours), IsEmpty()) << "in the facts only";
  EXPECT_THAT(Missing(ours, facts), IsEmpty()) << "in our table only";
}

// What crit knows, by the first column of its lines; filled where crit is installed.
class CritFactsTest : public testing::Test {
 protected:
  static constexpr int kNotInstalled = 3;
  static constexpr int kNoPython = 127;

  void SetUp() override {
    std::FILE* pipe = popen("/usr/bin/python3 tests/facts/print_crit_facts.py 2>&1", "r");
    ASSERT_NE(pipe, nullptr);
    std::string output;
    char buffer[4096];
    while (size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, got);
    int status = WEXITSTATUS(pclose(pipe));
    if (status == kNotInstalled || status == kNoPython) {
      GTEST_SKIP() << "crit is not installed: " << output;
    }
    ASSERT_EQ(status, 0) << output;
    lines_ = SplitLines(output);
  }

  Lines Known(const std::string& kind) const {
    Lines known;
    for (const std::string& line : lines_) {
      if (Column(line, 0) == kind) known.insert(line.substr(kind.size() + 1));
    }
    return known;
  }

  Lines lines_;
};

TEST_F(CritFactsTest, EveryFieldThatCritKnowsIsOurs) {
  Lines crit = Known("field");
  EXPECT_GT(crit.size(), 900U);
  // CRIU 4.2 gave field 2 another name when it added field 5 with the old one.
  EXPECT_EQ(crit.erase("pagemap_entry\t2\trequired\tuint32\tnr_pages\t\t"), 1U);
  EXPECT_THAT(Missing(crit, FieldsIn(FilesOf(ReadFacts("image-fields.tsv")))), IsEmpty());
}

TEST_F(CritFactsTest, EveryEnumValueThatCritKnowsIsOurs) {
  Lines crit = Known("enum");
  EXPECT_GT(crit.size(), 70U);
  EXPECT_THAT(Missing(crit, EnumsIn(FilesOf(ReadFacts("image-fields.tsv")))), IsEmpty());
}

TEST_F(CritFactsTest, EveryMagicThatCritKnowsIsOurs) {
  Lines crit = Known("magic");
  EXPECT_GT(crit.size(), 60U);
  // Of no image: a version number, and a cache of what the kernel can do.
  EXPECT_EQ(crit.erase("CRTOOLS_IMAGES_V1_1\t0x00000002"), 1U);
  EXPECT_EQ(crit.erase("KDAT\t0x57023458"), 1U);
  Lines ours = {fmt::format("IMG_COMMON\t{:#010x}", kCommonMagic),
                fmt::format("IMG_SERVICE\t{:#010x}", kServiceMagic)};
  for (const ImageTypeInfo& row : ImageTypes()) {
    ours.insert(fmt::format("{}\t{:#010x}", row.magic_name, row.magic));
  }
  EXPECT_THAT(Missing(crit, ours), IsEmpty());
}

}  // namespace
}  // namespace ckpt
