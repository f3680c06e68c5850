#include "formats/json_schema.h"

#include <gtest/gtest.h>

#include <string>

#include "formats/image_message.h"
#include "formats/image_type.h"
#include "formats/proto/cgroup.pb.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/sockets_unix.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {
namespace {

// The field of that name, which there is.
const JsonFieldSchema& Field(const JsonMessageSchema& schema, const std::string& name) {
  for (const JsonFieldSchema& field : schema.fields) {
    if (field.name == name) return field;
  }
  ADD_FAILURE() << schema.name << " has no " << name;
  return schema.fields.front();
}

TEST(JsonSchemas, KnowTheFieldsOfEveryMessageOfTheTable) {
  JsonSchemas schemas;
  for (const ImageTypeInfo& info : ImageTypes()) {
    for (const size_t index : {0, 1}) {
      const google::protobuf::Descriptor* message = FindEntryDescriptor(info.type, index);
      if (message == nullptr) continue;
      const JsonMessageSchema& schema = schemas.Get(*message);
      EXPECT_EQ(schema.fields.size(), static_cast<size_t>(message->field_count())) << info.name;
      for (const JsonFieldSchema& field : schema.fields) {
        EXPECT_EQ(schema.Find(field.number), &field) << schema.name << "." << field.name;
      }
    }
  }
}

TEST(JsonSchemas, SortFieldsByNumberAndFindNoOthers) {
  JsonSchemas schemas;
  const JsonMessageSchema& schema = schemas.Get(*pb::core_entry::descriptor());
  uint32_t last = 0;
  for (const JsonFieldSchema& field : schema.fields) {
    EXPECT_GT(field.number, last);
    last = field.number;
  }
  EXPECT_EQ(schema.Find(0), nullptr);
  EXPECT_EQ(schema.Find(last + 1), nullptr);
}

TEST(JsonSchemas, TakeSpellingsFromTheOptionsOfFields) {
  JsonSchemas schemas;
  const JsonMessageSchema& vma = schemas.Get(*pb::vma_entry::descriptor());
  EXPECT_EQ(Field(vma, "start").spelling, Spelling::kHex);
  EXPECT_EQ(Field(vma, "pgoff").spelling, Spelling::kNatural);
  EXPECT_EQ(Field(vma, "prot").spelling, Spelling::kFlags);
  EXPECT_EQ(Field(vma, "prot").names.at(0).name, "PROT_READ");
  EXPECT_EQ(Field(vma, "fd").kind, FieldKind::kSint64);
  const JsonMessageSchema& socket = schemas.Get(*pb::unix_sk_entry::descriptor());
  EXPECT_EQ(Field(socket, "state").spelling, Spelling::kDictionary);
  EXPECT_EQ(Field(socket, "name").spelling, Spelling::kUnixName);
  const JsonMessageSchema& ghost = schemas.Get(*pb::ghost_file_entry::descriptor());
  EXPECT_EQ(Field(ghost, "dev").spelling, Spelling::kKernelDevice);
  EXPECT_EQ(Field(ghost, "rdev").spelling, Spelling::kUserDevice);
}

TEST(JsonSchemas, PassHexOnToAllThatIsInsideAMessageAndNowhereElse) {
  JsonSchemas schemas;
  const JsonMessageSchema& core = schemas.Get(*pb::core_entry::descriptor());
  const JsonMessageSchema& thread = *Field(core, "thread_info").message;
  EXPECT_EQ(Field(*Field(thread, "gpregs").message, "ip").spelling, Spelling::kHex);
  EXPECT_EQ(Field(*Field(thread, "fpregs").message, "cwd").spelling, Spelling::kNatural);
  EXPECT_EQ(Field(schemas.Get(*pb::user_x86_regs_entry::descriptor()), "ip").spelling,
            Spelling::kNatural);
}

TEST(JsonSchemas, HoldAMessageThatHoldsItself) {
  JsonSchemas schemas;
  const JsonMessageSchema& directory = schemas.Get(*pb::cgroup_dir_entry::descriptor());
  EXPECT_EQ(Field(directory, "children").message, &directory);
}

TEST(JsonFieldSchema, AcceptsPackedValuesOfRepeatedNumbersOnly) {
  JsonSchemas schemas;
  const JsonMessageSchema& mm = schemas.Get(*pb::mm_entry::descriptor());
  EXPECT_TRUE(Field(mm, "mm_saved_auxv").Accepts(WireType::kVarint));
  EXPECT_TRUE(Field(mm, "mm_saved_auxv").Accepts(WireType::kLengthDelimited));
  EXPECT_FALSE(Field(mm, "mm_saved_auxv").Accepts(WireType::kFixed64));
  EXPECT_FALSE(Field(mm, "mm_brk").Accepts(WireType::kLengthDelimited));
  EXPECT_TRUE(Field(mm, "vmas").Accepts(WireType::kLengthDelimited));
  EXPECT_FALSE(Field(mm, "vmas").Accepts(WireType::kVarint));
}

}  // namespace
}  // namespace ckpt
