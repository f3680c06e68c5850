#include "imgtool/field_roles.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>

#include "formats/image_message.h"
#include "formats/image_type.h"
#include "formats/proto/files.pb.h"

namespace ckpt {
namespace {

TEST(FieldRolesTest, EveryRowIsAFieldOfTheFormat) {
  // Loads the descriptors of all images.
  for (const ImageTypeInfo& type : ImageTypes()) FindEntryDescriptor(type.type, 0);
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const FieldRoleRow& row : FieldRoles()) {
    const std::string name = "ckpt.pb." + std::string(row.field);
    const auto* field = pool->FindFieldByName(name);
    ASSERT_NE(field, nullptr) << name;
    EXPECT_EQ(FindFieldRole(field->full_name()), &row) << name;
  }
}

TEST(FieldRolesTest, OtherFieldsHaveNone) {
  EXPECT_EQ(FindFieldRole("ckpt.pb.reg_file_entry.pos"), nullptr);
  EXPECT_EQ(FindFieldRole("reg_file_entry.name"), nullptr);
}

TEST(FieldRolesTest, LimitsAreThoseOfTheKernel) {
  EXPECT_EQ(LimitOf(FieldRole::kSocketName), 108U);
  EXPECT_EQ(LimitOf(FieldRole::kPath), 4095U);
  EXPECT_EQ(LimitOf(FieldRole::kUserId), SIZE_MAX);
}

}  // namespace
}  // namespace ckpt
