#include "formats/sample_image.h"

#include <google/protobuf/message.h>

#include "formats/extra.h"
#include "formats/image_message.h"
#include "formats/image_writer.h"
#include "formats/proto/ipc.pb.h"

namespace ckpt {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Some messages hold messages of their own type.
constexpr int kMaxDepth = 6;
constexpr uint32_t kWord = 3;
constexpr size_t kManyBytes = 4096;

void FillMessage(Message& message, int depth);

void FillRepeated(Message& message, const FieldDescriptor* field, int depth) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FillMessage(*reflection->AddMessage(&message, field), depth + 1);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->AddString(&message, field, "abc");
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->AddInt32(&message, field, -1);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->AddUInt32(&message, field, kWord);
    default:
      return reflection->AddUInt64(&message, field, uint64_t{kWord} << 40);
  }
}

void FillSingle(Message& message, const FieldDescriptor* field, int depth) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FillMessage(*reflection->MutableMessage(&message, field), depth + 1);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->SetString(&message, field, "/a\xff");
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->SetBool(&message, field, field->name() == "chunks");
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->SetEnum(&message, field, field->enum_type()->value(0));
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->SetInt32(&message, field, -1);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->SetInt64(&message, field, -1);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->SetUInt32(&message, field, kWord);
    default:
      return reflection->SetUInt64(&message, field, kWord);
  }
}

void FillMessage(Message& message, int depth) {
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (!field->is_required() && depth >= kMaxDepth) continue;
    field->is_repeated() ? FillRepeated(message, field, depth) : FillSingle(message, field, depth);
  }
}

std::string SampleMessageQueue() {
  ImageEncoder framing(ImageType::kInventory);
  framing.TakeBytes();
  for (uint32_t i = 0; i < kWord; ++i) {
    pb::ipc_msg message;
    message.set_mtype(1);
    message.set_msize(i);
    std::string text(i == 0 ? 0 : 8, 'm');
    framing.AppendOriginal(AsBytes(message.SerializeAsString()), AsBytes(text));
  }
  return framing.TakeBytes();
}

std::string SampleExtra(ExtraKind kind, const Message& message) {
  if (kind == ExtraKind::kMessages) return SampleMessageQueue();
  std::string many(kManyBytes, 'e');
  auto size = ReadExtraSize(kind, message, AsBytes(many));
  CKPT_CHECK(size.has_value());
  return many.substr(0, size.value());
}

void AppendSample(const ImageTypeInfo& info, size_t index, ImageEncoder& image) {
  const auto* descriptor = FindEntryDescriptor(info.type, index);
  if (descriptor == nullptr) {
    image.AppendOriginal(AsBytes(std::string(8, 'a')), AsBytes(std::string(kManyBytes, 'p')));
    return;
  }
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  std::unique_ptr<Message> message(factory->GetPrototype(descriptor)->New());
  FillMessage(*message, 0);
  auto appended = image.Append(*message, AsBytes(SampleExtra(info.extra, *message)));
  CKPT_CHECK(appended.has_value());
}

}  // namespace

std::string SampleImage(ImageType type, HeaderVersion version) {
  ImageEncoder image(type, version);
  for (size_t index = 0; index < 2; ++index) AppendSample(GetImageType(type), index, image);
  return image.TakeBytes();
}

std::vector<ImageType> TypesWithEntries() {
  std::vector<ImageType> types;
  for (const ImageTypeInfo& row : ImageTypes()) {
    if (row.framing != ImageFraming::kRaw) types.push_back(row.type);
  }
  return types;
}

}  // namespace ckpt
